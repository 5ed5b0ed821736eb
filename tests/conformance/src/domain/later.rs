use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Category, Decider, Projection, RecordedEvent, Subscription, Upcasters};

/// The account as a later release knows it: with another schema of the notes, and with an event
/// that this release has never heard of.
#[derive(Debug)]
pub struct LaterAccount;

/// What can happen to an account by then, as far as it is of use here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum LaterEvent {
    /// Money was paid in, as the command of this release asks for it.
    #[serde(alias = "Deposit")]
    Deposited { cents: u64 },
    /// A note, which schema 2 counts in pages.
    Noted { pages: u64 },
    /// The account was frozen: not known to this release.
    Frozen,
}

impl Decider for LaterAccount {
    const CATEGORY: Category = "account";
    type State = ();
    type Command = LaterEvent;
    type Event = LaterEvent;
    type Error = Infallible;

    fn decide((): &(), command: LaterEvent) -> Result<Vec<LaterEvent>, Infallible> {
        Ok(vec![command])
    }

    fn evolve((): &mut (), _: &LaterEvent) {}

    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Deposited", |data| data)
            .then("Noted", |_| serde_json::json!({ "pages": 1 }))
    }
}

/// The later release of [`Fragile`](super::Fragile).
#[derive(Debug)]
pub struct LaterFragile;

impl Projection for LaterFragile {
    const NAME: &'static str = "fragile";
    type Input = LaterEvent;
    type View = Vec<u64>;

    fn subscription() -> Subscription<LaterEvent> {
        Subscription::of::<LaterAccount>()
    }

    fn project(
        _: &str,
        view: Option<Vec<u64>>,
        event: &RecordedEvent<LaterEvent>,
    ) -> Option<Vec<u64>> {
        let mut versions = view.unwrap_or_default();
        versions.push(event.version.0);
        Some(versions)
    }
}
