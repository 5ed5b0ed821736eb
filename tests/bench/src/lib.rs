//! How fast the framework is: a small domain whose events take 200 bytes, for the benchmarks in
//! `benches/`.
//!
//! ```
//! let runtime = bench::runtime();
//! assert_eq!(runtime.manifest().app, "bench");
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::ports::FeedQuery;
use skyfold::{
    Announced, App, Category, CommandId, CommandRequest, Decider, Metadata, Payload, Projection,
    RecordedCommit, RecordedEvent, Reply, Route, Runtime, StreamId, Subscription, Trigger,
};
use skyfold_memory::Memory;

/// How many commands were made. Each says that it was made a millisecond after the one before: ids
/// of one and the same millisecond are looked up in the stream once there are more than it has in
/// its newest commit, and no cloud is asked as often as this process can ask itself.
static MADE: AtomicU32 = AtomicU32::new(0);
const MILLISECOND: Duration = Duration::from_millis(1);

/// What may be asked of a parcel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Command {
    /// Notes that it was seen.
    Scan {
        /// Where.
        place: String,
        /// By whom.
        courier: String,
        /// How much it weighs.
        grams: u32,
        /// What was noticed.
        remark: String,
    },
}

/// What happens to a parcel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Event {
    /// It was seen.
    Scanned {
        /// Where.
        place: String,
        /// By whom.
        courier: String,
        /// How much it weighs.
        grams: u32,
        /// What was noticed.
        remark: String,
    },
}

/// What is known of a parcel: some 60 bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    scans: u64,
    grams: u32,
    place: String,
}

/// The rules of a parcel.
#[derive(Debug)]
pub struct Parcel;

impl Decider for Parcel {
    const CATEGORY: Category = "parcel";
    type State = State;
    type Command = Command;
    type Event = Event;
    type Error = std::convert::Infallible;

    fn decide(_: &State, command: Command) -> Result<Vec<Event>, Self::Error> {
        let Command::Scan { place, courier, grams, remark } = command;
        Ok(vec![Event::Scanned { place, courier, grams, remark }])
    }

    fn evolve(state: &mut State, event: &Event) {
        let Event::Scanned { place, grams, .. } = event;
        state.scans += 1;
        state.grams = *grams;
        state.place.clone_from(place);
    }
}

/// Where each parcel was last seen: a view with the id of its stream.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Whereabouts {
    scans: u64,
    place: String,
}

impl Projection for Whereabouts {
    const NAME: &'static str = "whereabouts";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Parcel>()
    }

    fn project(_: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let Event::Scanned { place, .. } = &event.data;
        let scans = view.map_or(0, |view| view.scans) + 1;
        Some(Self { scans, place: place.clone() })
    }
}

/// How much each courier has carried: a view fed by many streams.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    grams: u64,
}

impl Projection for Load {
    const NAME: &'static str = "load";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Parcel>()
    }

    fn route() -> Route<Event> {
        Route::Keyed(|event| {
            let Event::Scanned { courier, .. } = &event.data;
            vec![courier.clone()]
        })
    }

    fn project(_: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let Event::Scanned { grams, .. } = &event.data;
        Some(Self { grams: view.map_or(0, |view| view.grams) + u64::from(*grams) })
    }
}

/// The app on the in-memory adapter, with nothing recorded yet.
///
/// # Panics
///
/// If the app is not legal, which the example above shows it is.
pub fn runtime() -> Runtime {
    let app = App::new("bench").decider::<Parcel>().projection::<Whereabouts>();
    app.projection::<Load>().bind(Memory::new().ports()).expect("the app is legal")
}

/// A scan of the parcel `id`: an event of some 200 bytes.
///
/// # Panics
///
/// If `id` is not legal.
pub fn scan(runtime: &Runtime, id: &str) -> Trigger {
    let command = Command::Scan {
        place: "sorting centre 4, belt 17, Leipzig".into(),
        courier: "courier-1042".into(),
        grams: 1_250,
        remark: "the label is torn at the lower left corner, the address can be read".into(),
    };
    Trigger::Command(CommandRequest {
        stream: StreamId::new(id).expect("legal"),
        id: CommandId::fresh(runtime.now() + MADE.fetch_add(1, Ordering::Relaxed) * MILLISECOND),
        command: Payload::encode(&command).expect("plain data"),
        expected: None,
        metadata: Metadata::default(),
    })
}

/// Scans the parcel `id` once.
///
/// # Panics
///
/// If the command is not accepted.
pub async fn run(runtime: &Runtime, id: &str) {
    let reply = runtime.invoke("parcel", scan(runtime, id)).await;
    assert!(matches!(reply, Ok(Reply::Accepted(_))), "{reply:?}");
}

/// Everything recorded so far, as a bus would deliver it.
///
/// # Panics
///
/// If the feed cannot be read.
pub async fn deliveries(runtime: &Runtime) -> Vec<Announced> {
    let feed = &runtime.ports().feed;
    let mut news = vec![];
    for slice in 0..feed.slices() {
        let mut from = None;
        loop {
            let page = feed.read(slice, &FeedQuery::default(), from.as_ref()).await;
            let page = page.expect("memory can be read");
            let events = page.commits.iter().flat_map(RecordedCommit::events);
            news.extend(events.map(Announced::Event));
            if page.is_tail {
                break;
            }
            from = Some(page.next);
        }
    }
    news
}
