use std::fmt;

use skyfold::ports::{Consistency, DocumentKey, ListQuery, QueuedCommand, Range, ScanQuery, Write};
use skyfold::{CloudEvent, StreamId, StreamName, Version};

/// A call of a port, for the trace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    Append(&'a StreamName, Version),
    Read(&'a StreamName, Range, Consistency),
    Snapshot(&'a StreamName),
    SaveSnapshot(&'a StreamName, Version),
    Feed(u16),
    Newest,
    Get(&'a [DocumentKey]),
    Write(&'a [Write]),
    List(&'a ListQuery),
    Scan(&'a ScanQuery),
    Publish(&'a [CloudEvent]),
    Send(&'a [QueuedCommand]),
    Keys(&'a [StreamId]),
    CreateKey(&'a StreamId, u32),
    DestroyKeys(&'a StreamId),
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append(stream, first) => write!(f, "append {stream}@{first}"),
            Self::Read(stream, range, consistency) => {
                match range {
                    &Range::NEWEST => write!(f, "read the newest of {stream}")?,
                    Range::Before(version) => write!(f, "read {stream} before {version}")?,
                    Range::After(version) => write!(f, "read {stream} after {version}")?,
                }
                match consistency {
                    Consistency::Strong => Ok(()),
                    Consistency::Eventual => write!(f, ", perhaps an old state"),
                }
            }
            Self::Snapshot(stream) => write!(f, "read the snapshot of {stream}"),
            Self::SaveSnapshot(stream, version) => {
                write!(f, "save the snapshot {stream}@{version}")
            }
            Self::Feed(slice) => write!(f, "read the feed, slice {slice}"),
            Self::Newest => write!(f, "read the newest commits"),
            Self::Get(keys) => {
                write!(f, "get")?;
                keys.iter().try_for_each(|key| write!(f, " {}/{}", key.collection, key.id))
            }
            Self::Write(batch) => {
                write!(f, "write")?;
                let mut keys = batch.iter().map(|write| &write.key);
                keys.try_for_each(|key| write!(f, " {}/{}", key.collection, key.id))
            }
            Self::List(query) => {
                write!(f, "list {}/{} of {}", query.collection, query.list, query.under)
            }
            Self::Scan(query) => write!(f, "scan {}", query.collection),
            Self::Publish(batch) => {
                write!(f, "announce")?;
                batch.iter().try_for_each(|event| write!(f, " {}", event.id))
            }
            Self::Keys(subjects) => {
                write!(f, "read the keys of")?;
                subjects.iter().try_for_each(|subject| write!(f, " {subject}"))
            }
            Self::CreateKey(subject, number) => write!(f, "create key {number} of {subject}"),
            Self::DestroyKeys(subject) => write!(f, "destroy the keys of {subject}"),
            Self::Send(batch) => {
                write!(f, "send")?;
                let mut sent = batch.iter().map(|command| (&command.category, &command.request));
                sent.try_for_each(|(category, request)| {
                    let (stream, command) = (&request.stream, &request.command);
                    write!(f, " {command} to {category}-{stream}")
                })
            }
        }
    }
}
