use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Category, Decider, Snapshots};

/// An archive of texts, each kept once: a state as large as the stream, so that it needs snapshots,
/// and decisions that come out differently if any part of it is missing.
#[derive(Debug)]
pub struct Archive;

/// The texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveState {
    /// In order.
    pub texts: BTreeSet<String>,
}

/// What can be asked of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum ArchiveCommand {
    /// Keeps a text, unless it is there.
    Keep { text: String },
    /// Removes a text, if it is there.
    Remove { text: String },
}

/// What can happen to an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum ArchiveEvent {
    /// A text was kept.
    Kept { text: String },
    /// A text was removed.
    Removed { text: String },
}

impl Decider for Archive {
    const CATEGORY: Category = "archive";
    const SNAPSHOTS: Snapshots =
        Snapshots { every: 8, after: Duration::from_secs(3600), ..Snapshots::DEFAULT };
    type State = ArchiveState;
    type Command = ArchiveCommand;
    type Event = ArchiveEvent;
    type Error = Infallible;

    fn decide(
        state: &ArchiveState,
        command: ArchiveCommand,
    ) -> Result<Vec<ArchiveEvent>, Infallible> {
        Ok(match command {
            ArchiveCommand::Keep { text } if !state.texts.contains(&text) => {
                vec![ArchiveEvent::Kept { text }]
            }
            ArchiveCommand::Remove { text } if state.texts.contains(&text) => {
                vec![ArchiveEvent::Removed { text }]
            }
            _ => vec![],
        })
    }

    fn evolve(state: &mut ArchiveState, event: &ArchiveEvent) {
        match event {
            ArchiveEvent::Kept { text } => state.texts.insert(text.clone()),
            ArchiveEvent::Removed { text } => state.texts.remove(text),
        };
    }
}
