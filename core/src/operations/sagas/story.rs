use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::by_hand::Deed;
use super::whole;
use crate::functions::Record;
use crate::{CommandId, Error, ErrorKind, Metadata, RecordedCommit, Result, Runtime, StreamName};

/// What the records of one transaction come to for whoever intervenes.
#[derive(Debug)]
pub(super) struct Story {
    /// When the first record was made.
    pub(super) began: OffsetDateTime,
    /// What travels with it.
    pub(super) metadata: Metadata,
    /// The highest number of a command that was sent by hand.
    pub(super) sent: u64,
    /// The commands that are asked for no more.
    pub(super) skipped: BTreeSet<CommandId>,
}

impl Story {
    /// Goes through the records of the transaction in `stream`, of which there must be one.
    pub(super) async fn read(runtime: &Runtime, saga: &str, stream: &StreamName) -> Result<Self> {
        let (mut history, mut story) = (whole(runtime, stream), None);
        while let Some(commits) = history.next().await? {
            for event in commits.iter().flat_map(RecordedCommit::events) {
                let record = Record::read(&event)?;
                let story = story.get_or_insert_with(|| Self {
                    began: event.time,
                    metadata: event.metadata.clone(),
                    sent: 0,
                    skipped: BTreeSet::new(),
                });
                let Some(by_hand) = record.by_hand() else { continue };
                story.skipped.extend(by_hand.skipped_command().cloned());
                if let Deed::Sent(number) = by_hand.did {
                    story.sent = story.sent.max(number);
                }
            }
        }
        let missing =
            || Error::new(ErrorKind::NotFound, format!("{saga} knows no {}", stream.id()));
        story.ok_or_else(missing)
    }
}
