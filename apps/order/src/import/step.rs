use skyfold::{CommandId, Decider, Payload, Result, StreamId};
use time::OffsetDateTime;

/// A command, and the lines of the file that it comes of.
#[derive(Clone, Debug)]
pub struct Step {
    /// What the report calls it.
    pub name: &'static str,
    /// The kind of the stream.
    pub category: &'static str,
    /// The stream.
    pub stream: StreamId,
    /// The same whenever the same file is imported.
    pub id: CommandId,
    /// The command.
    pub command: Payload,
    /// Where it comes from.
    pub lines: Vec<u64>,
}

/// Commands that follow each other, each if none before it was refused.
pub type Job = Vec<Step>;

impl Step {
    /// Gives `command` to the stream of `D`, on account of `lines`. `which` tells it from other
    /// steps of the same name in that stream.
    pub(super) fn new<D: Decider>(
        name: &'static str,
        which: &str,
        stream: &StreamId,
        command: &D::Command,
        lines: Vec<u64>,
    ) -> Result<Self> {
        // The file does not say when it is imported, and its days of business may yet come.
        let made = OffsetDateTime::UNIX_EPOCH;
        let id = CommandId::derived(made, &["import", D::CATEGORY, stream.as_str(), name, which]);
        let (category, stream) = (D::CATEGORY, stream.clone());
        Ok(Self { name, category, stream, id, command: Payload::encode(command)?, lines })
    }
}
