//! What an app says of itself, and what is wrong with one that cannot be deployed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{
    App, Category, CommandId, Commit, Decider, Effect, ErrorKind, Kind, Metadata, NewEvent,
    Payload, Projection, ReadModels, RecordedCommit, RecordedEvent, Route, Saga, StreamId,
    Subscription, Version,
};
use skyfold_memory::Memory;
use time::OffsetDateTime;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
enum Command {
    Open { owner: String },
    WriteOff,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
enum Event {
    Opened { owner: String },
    WrittenOff,
}

macro_rules! decider {
    ($name:ident, $category:literal) => {
        decider!($name, $category, []);
    };
    ($name:ident, $category:literal, $internal:expr) => {
        struct $name;
        impl Decider for $name {
            const CATEGORY: Category = $category;
            const INTERNAL: &'static [&'static str] = &$internal;
            type State = u32;
            type Command = Command;
            type Event = Event;
            type Error = std::fmt::Error;
            fn decide(_: &u32, _: Command) -> Result<Vec<Event>, Self::Error> {
                Ok(vec![])
            }
            fn evolve(opened: &mut u32, event: &Event) {
                *opened += u32::from(matches!(event, Event::Opened { .. }));
            }
        }
    };
}

decider!(Loan, "loan", ["WriteOff"]);
decider!(Deposit, "deposit");
decider!(Dashed, "fixed-term");
decider!(Misnamed, "trust", ["write-off"]);

macro_rules! projection {
    ($name:ident, $projection:literal, $lists:expr, $subscription:expr, $route:expr) => {
        struct $name;
        impl Projection for $name {
            const NAME: &'static str = $projection;
            const LISTS: &'static [&'static str] = $lists;
            type Input = Event;
            type View = u32;
            fn subscription() -> Subscription<Event> {
                $subscription
            }
            fn route() -> Route<Event> {
                $route
            }
            fn project(_: &str, view: Option<u32>, _: &RecordedEvent<Event>) -> Option<u32> {
                view
            }
        }
    };
}

fn both() -> Subscription<Event> {
    Subscription::of::<Loan>().and::<Deposit>(|event| event)
}

projection!(Good, "loans", &["by-owner"], Subscription::of::<Loan>(), Route::OwnStream);
projection!(Keyed, "totals", &[], both(), Route::Keyed(|_| vec![]));
projection!(Ambiguous, "mixed", &[], both(), Route::OwnStream);
projection!(Greedy, "greedy", &["a", "b", "c", "d"], both(), Route::Keyed(|_| vec![]));
projection!(Full, "full", &["a", "b", "c"], both(), Route::Keyed(|_| vec![]));
projection!(Loud, "Loud", &[], Subscription::of::<Loan>(), Route::OwnStream);

macro_rules! saga {
    ($name:ident, $saga:literal) => {
        struct $name;
        impl Saga for $name {
            const NAME: &'static str = $saga;
            type Input = Event;
            type State = u32;
            fn subscription() -> Subscription<Event> {
                Subscription::of::<Loan>()
            }
            fn correlate(_: &RecordedEvent<Event>) -> Option<StreamId> {
                None
            }
            fn react(_: &mut u32, _: &RecordedEvent<Event>) -> Vec<Effect> {
                vec![]
            }
            fn has_ended(_: &u32) -> bool {
                true
            }
        }
    };
}

saga!(Collection, "collection");
saga!(DashedSaga, "debt-collection");

#[track_caller]
fn refused(app: App, reason: &str) {
    let error = app.bind(Memory::new().ports()).expect_err("it is not bound");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn a_manifest_tells_what_each_function_takes_hears_and_shows() {
    let app = App::new("bank")
        .decider::<Loan>()
        .projection::<Good>()
        .saga::<Collection>()
        .query("loans-of", |owner: String, _: ReadModels| async move { Ok(owner) });
    let manifest = app.manifest();
    let kinds = manifest.functions.iter().map(|function| (&*function.name, function.kind));
    let expected = [
        ("collection", Kind::Saga),
        ("loan", Kind::Command),
        ("loans", Kind::Projection),
        ("loans-of", Kind::Query),
        ("relay", Kind::Relay),
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);

    let loan = manifest.function("loan").unwrap();
    let mut commands: Vec<_> = loan.commands.iter().map(|command| &*command.path).collect();
    commands.sort_unstable();
    assert_eq!(commands, ["open", "write-off"]);
    assert!(loan.commands.iter().all(|c| c.is_internal == (c.name == "WriteOff")));
    let mut events: Vec<_> =
        loan.events.iter().map(|event| (&*event.name, event.version)).collect();
    events.sort_unstable();
    assert_eq!(events, [("Opened", 1), ("WrittenOff", 1)]);

    let query = manifest.function("loans-of").unwrap();
    assert_eq!(query.answer.as_ref().unwrap()["type"], "string");
    let loans = manifest.function("loans").unwrap();
    assert_eq!(loans.hears, ["loan"]);
    assert_eq!(loans.collection.as_deref(), Some("loans.1"));
    assert_eq!(loans.lists, ["by-owner"]);
    assert_eq!(loans.answer.as_ref().unwrap()["type"], "integer");
    assert_eq!(manifest.function("collection").unwrap().hears, ["loan"]);
    assert_eq!(manifest.function("loans-of").unwrap().params.as_ref().unwrap()["type"], "string");
    app.bind(Memory::new().ports()).unwrap();
}

#[test]
fn an_app_that_cannot_be_deployed_is_refused_when_it_is_bound() {
    refused(App::new("My Bank"), "the app \"My Bank\"");
    refused(App::new("bank").decider::<Dashed>(), "the category \"fixed-term\"");
    refused(App::new("bank").decider::<Misnamed>(), "trust has no command write-off to keep");
    refused(App::new("bank").saga::<DashedSaga>(), "the saga \"debt-collection\"");
    refused(App::new("bank").projection::<Loud>(), "the projection \"Loud\"");
    let query = App::new("bank").query("Loans", |(): (), _: ReadModels| async { Ok(()) });
    refused(query, "the query \"Loans\"");
    refused(App::new("bank").projection::<Ambiguous>(), "give it a keyed route");
    refused(App::new("bank").projection::<Greedy>(), "it has 4 lists, of at most 3");
    refused(App::new("bank").decider::<Loan>().decider::<Loan>(), "two functions are named loan");
    let app = App::new("bank").projection::<Keyed>().projection::<Full>();
    app.bind(Memory::new().ports()).unwrap();
}

#[test]
fn an_app_tells_tools_how_it_reads_an_event_and_what_a_history_comes_to() {
    let app = App::new("bank").decider::<Loan>().saga::<Collection>();
    let opened = Payload::parse(r#"{ "owner": "ada", "more": 1 }"#).unwrap();
    let opened = NewEvent { event_type: "Opened".into(), schema: 1, data: opened };
    let read = app.upcast("loan", &opened).unwrap();
    assert_eq!(read.data.get(), r#"{"owner":"ada"}"#);
    let closed = NewEvent { event_type: "Closed".into(), ..opened.clone() };
    assert_eq!(app.upcast("loan", &closed).unwrap_err().kind(), ErrorKind::Newer);
    assert_eq!(app.upcast("lease", &opened).unwrap_err().kind(), ErrorKind::NotFound);

    let (id, now) = (CommandId::new("a").unwrap(), OffsetDateTime::UNIX_EPOCH);
    let commit = Commit::new(id, 0, now, Metadata::default(), vec![opened.clone(), opened]);
    let stream = "loan-1".parse().unwrap();
    let commit = RecordedCommit { stream, first: Version(1), commit: commit.unwrap() };
    let history: Vec<_> = commit.events().collect();
    let state = app.state_after("loan", &history).unwrap();
    assert_eq!((state.format, state.state.get()), (1, "2"));
    let state = app.state_after("collection", &history).unwrap();
    assert_eq!(state.format, 1);
}
