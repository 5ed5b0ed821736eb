//! What each place is called to which a sealed value is bound, so that it opens nowhere else.

use crate::ports::QueuedCommand;
use crate::{Commit, EventId, StreamName, Version};

pub(crate) fn event_place(event: &EventId) -> String {
    format!("event {event}")
}

pub(crate) fn state_place(stream: &StreamName, version: Version) -> String {
    format!("state {stream}@{version}")
}

pub(crate) fn document_place(collection: &str, id: &str) -> String {
    format!("document {collection} {id}")
}

pub(crate) fn command_place(queued: &QueuedCommand) -> String {
    let QueuedCommand { category, request, .. } = queued;
    format!("command {category}-{} {}", request.stream, request.id)
}

/// The version of the last event of `commit`, whose first is at `first`.
pub(crate) fn last(first: Version, commit: &Commit) -> Version {
    Version(first.0.saturating_add(commit.count()).saturating_sub(1))
}
