use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Projection, RecordedEvent, Route, Subscription};

use super::account::{Account, Event};
use super::archive::{Archive, ArchiveEvent};
use super::reports::panic_quietly;

/// What carries each tag: views fed by any number of streams, of two categories.
#[derive(Debug)]
pub struct Tags;

/// What is heard of accounts and archives.
#[derive(Clone, Debug)]
pub enum Tagged {
    /// Of an account.
    Account(Event),
    /// Of an archive, whose texts are tags.
    Archive(ArchiveEvent),
}

impl Projection for Tags {
    const NAME: &'static str = "tags";
    type Input = Tagged;
    /// The ids of the events that carry the tag, in the order in which they were applied.
    type View = TaggedBy;

    fn subscription() -> Subscription<Tagged> {
        Subscription::to::<Account>(Tagged::Account).and::<Archive>(Tagged::Archive)
    }

    fn route() -> Route<Tagged> {
        Route::Keyed(|event| match &event.data {
            Tagged::Account(Event::Tagged { tags }) => tags.clone(),
            Tagged::Archive(ArchiveEvent::Kept { text }) => vec![text.clone()],
            _ => vec![],
        })
    }

    fn project(
        key: &str,
        view: Option<TaggedBy>,
        event: &RecordedEvent<Tagged>,
    ) -> Option<TaggedBy> {
        if key == "jinx" {
            panic_quietly();
        }
        let mut view = view.unwrap_or_default();
        view.events.push(event.id().to_string());
        Some(view)
    }
}

/// How many events carry each tag: the same whatever order the streams come in.
#[derive(Debug)]
pub struct TagCounts;

impl Projection for TagCounts {
    const NAME: &'static str = "tag-counts";
    type Input = Tagged;
    type View = u64;

    fn subscription() -> Subscription<Tagged> {
        Tags::subscription()
    }

    fn route() -> Route<Tagged> {
        Tags::route()
    }

    fn project(_: &str, count: Option<u64>, _: &RecordedEvent<Tagged>) -> Option<u64> {
        Some(count.unwrap_or_default() + 1)
    }
}

/// The view of one tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaggedBy {
    /// The ids of the events that carry it, in the order in which they were applied.
    pub events: Vec<String>,
}
