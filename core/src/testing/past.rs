use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use crate::{CommandId, Metadata, RecordedEvent, StreamName, Version};

/// When a test begins, unless it says otherwise.
const BEGINNING: OffsetDateTime = datetime!(2020-01-01 00:00 UTC);

/// What has happened in a test: numbers the events of each stream, and keeps the time.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) now: OffsetDateTime,
    versions: BTreeMap<StreamName, Version>,
}

impl Default for Past {
    fn default() -> Self {
        Self { now: BEGINNING, versions: BTreeMap::new() }
    }
}

impl Past {
    /// The next event of `stream`, recorded now.
    #[track_caller]
    pub(super) fn record<I>(&mut self, stream: &str, data: I) -> RecordedEvent<I> {
        let stream: StreamName = match stream.parse() {
            Ok(stream) => stream,
            Err(error) => panic!("{error}"),
        };
        let version = self.versions.entry(stream.clone()).or_default();
        *version = version.next();
        let command = CommandId::derived(self.now, &[stream.as_str(), &version.to_string()]);
        RecordedEvent {
            version: *version,
            event_type: std::any::type_name::<I>().into(),
            schema: 1,
            time: self.now,
            command,
            metadata: Metadata::default(),
            data,
            stream,
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}
