//! `dead-letters`: here, and where the app is being served.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use common::{Ran, Served, Tally, TallyEvent, Total, Totals, cli_of, run_of, run_on};
use serde_json::json;
use skyfold::{App, Projection, RecordedEvent, Subscription};
use skyfold_cli::{Console, Exit};
use skyfold_memory::Memory;

/// The totals of a later release, which knows where numbers end.
struct Mended;

impl Projection for Mended {
    const NAME: &'static str = "totals";
    const LISTS: &'static [&'static str] = &["by-owner"];
    type Input = TallyEvent;
    type View = Total;

    fn subscription() -> Subscription<TallyEvent> {
        Subscription::of::<Tally>()
    }

    fn project(key: &str, view: Option<Total>, event: &RecordedEvent<TallyEvent>) -> Option<Total> {
        let before = view.map_or(0, |view| view.total);
        let TallyEvent::Added { amount, owner } = &event.data else { return None };
        let (tally, owner) = (key.to_owned(), owner.clone());
        Some(Total { tally, total: before.saturating_add(*amount), owner })
    }
}

/// The release whose totals overflow.
fn app() -> App {
    App::new("probe").decider::<Tally>().projection::<Totals>()
}

/// Two tallies whose second events the totals cannot add up, and one that is fine.
async fn poisoned() -> Memory {
    let memory = Memory::new();
    let add = r#"add-each {"amounts":[4294967295,1],"owner":"ada"}"#;
    for (tally, add) in [(1, add), (2, add), (3, r#"add {"amount":1,"owner":"ada"}"#)] {
        let ran = run(&memory, &format!("send tally {tally} {add}")).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    }
    memory.settle(&app().bind(memory.ports()).unwrap()).await.unwrap();
    memory
}

async fn run(memory: &Memory, line: &str) -> Ran {
    run_of(app(), memory, line).await
}

async fn run_words(memory: &Memory, words: &[&str]) -> Ran {
    let (console, captured) = Console::captured();
    run_on(cli_of(app(), memory), words, console, &captured).await
}

/// The id of the letter about a tally of a function.
async fn letter(memory: &Memory, function: &str, stream: &str) -> String {
    let listed = run(memory, &format!("dead-letters list --function {function} --json")).await;
    let page = &listed.json()[0];
    let letters = page["items"].as_array().unwrap();
    let found = letters.iter().find(|letter| letter["stream"] == stream).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

async fn later(memory: &Memory, line: &str) -> Ran {
    let app = App::new("probe").decider::<Tally>().projection::<Mended>();
    run_of(app, memory, line).await
}

#[tokio::test]
async fn letters_are_listed_and_shown() {
    let memory = poisoned().await;
    let listed = run(&memory, "dead-letters list").await;
    assert_eq!(listed.exit, Exit::Done);
    assert!(listed.out.contains("tally-1@2") && listed.out.contains("tally-2@2"), "{listed:?}");
    assert!(!listed.out.contains("tally-3"), "{listed:?}");
    let page = run(&memory, "dead-letters list --limit 1").await;
    let next = page.out.split("--cursor ").nth(1).expect("there is more").trim().to_owned();
    let rest = run(&memory, &format!("dead-letters list --cursor {next} --json")).await;
    assert_eq!(rest.json()[0]["items"].as_array().unwrap().len(), 1, "{rest:?}");

    let id = letter(&memory, "totals", "tally-1").await;
    let shown = run(&memory, &format!("dead-letters show {id}")).await;
    assert!(shown.out.starts_with("totals: tally-1@2 waits: "), "{shown:?}");
    assert!(shown.out.contains("overflow") && shown.out.contains("failed"), "{shown:?}");
    let shown = run(&memory, &format!("dead-letters show {id} --json")).await;
    assert_eq!(shown.json()[0]["undone"], json!({ "event": "tally-1@2" }));
}

#[tokio::test]
async fn a_retry_fails_until_a_release_can_handle_it() {
    let memory = poisoned().await;
    let id = letter(&memory, "totals", "tally-1").await;
    let retried = run(&memory, &format!("dead-letters retry {id}")).await;
    assert_eq!(retried.exit, Exit::Failed, "{retried:?}");
    assert!(retried.out.starts_with("totals: tally-1@2 waits"), "{retried:?}");
    let all = run(&memory, "dead-letters retry --function totals --json").await;
    assert_eq!((all.exit, &all.json()[0]["resolved"]), (Exit::Failed, &json!(0)), "{all:?}");

    let retried = later(&memory, &format!("dead-letters retry {id}")).await;
    assert_eq!((retried.exit, &*retried.out), (Exit::Done, "totals: tally-1 goes on\n"));
    let all = later(&memory, "dead-letters retry --function totals").await;
    assert_eq!((all.exit, &*all.out), (Exit::Done, "1 are done, 0 still wait\n"), "{all:?}");
    let view = later(&memory, "view totals 2 --json").await;
    assert_eq!(view.json()[0]["total"], u32::MAX);
    let left = run(&memory, "dead-letters list --function totals --json").await;
    assert_eq!(left.json()[0]["items"], json!([]));
    let closed = run(&memory, "dead-letters list --closed --json").await;
    assert_eq!(closed.json()[0]["items"].as_array().unwrap().len(), 2, "{closed:?}");
}

#[tokio::test]
async fn one_stream_or_everything_is_tried_again() {
    let memory = poisoned().await;
    let of_stream = run(&memory, "dead-letters list --stream tally-2 --json").await;
    let items = of_stream.json()[0]["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "{of_stream:?}");
    assert_eq!(items[0]["stream"], "tally-2");
    let none = run(&memory, "dead-letters retry --stream tally-3").await;
    assert_eq!((none.exit, &*none.out), (Exit::Done, "0 are done, 0 still wait\n"), "{none:?}");
    let all = run(&memory, "dead-letters retry --all").await;
    assert_eq!(all.exit, Exit::Failed, "{all:?}");
    assert!(all.out.starts_with("0 are done, 2 still wait\n"), "{all:?}");

    let one = later(&memory, "dead-letters retry --stream tally-2").await;
    assert_eq!((one.exit, &*one.out), (Exit::Done, "1 are done, 0 still wait\n"), "{one:?}");
    let rest = later(&memory, "dead-letters retry --all --json").await;
    assert_eq!(rest.json()[0], json!({ "resolved": 1, "waiting": [] }), "{rest:?}");
}

#[tokio::test]
async fn health_tells_what_waits_and_stays_healthy() {
    let memory = poisoned().await;
    let health = run(&memory, "health").await;
    assert_eq!(health.exit, Exit::Done, "{health:?}");
    assert!(health.out.contains("dead letters: 2, the oldest for "), "{health:?}");
    assert!(health.out.trim_end().ends_with(" s: 2 of totals"), "{health:?}");
    assert!(health.err.contains("hint: to see to them: dead-letters list"), "{health:?}");
}

#[tokio::test]
async fn a_letter_that_was_closed_stays_so() {
    let memory = poisoned().await;
    let id = letter(&memory, "totals", "tally-1").await;
    for _ in 0..2 {
        let retried = later(&memory, &format!("dead-letters retry {id}")).await;
        assert_eq!((retried.exit, &*retried.out), (Exit::Done, "totals: tally-1 goes on\n"));
    }
    // There is nothing left to give up.
    let discarded = later(&memory, &format!("dead-letters discard {id} --reason late")).await;
    assert_eq!((discarded.exit, &*discarded.out), (Exit::Done, "totals: tally-1 goes on\n"));
}

#[tokio::test]
async fn what_is_discarded_is_left_out_with_its_reason() {
    let memory = poisoned().await;
    let id = letter(&memory, "totals", "tally-1").await;
    let words = ["dead-letters", "discard", &id, "--reason", "a slip", "--event", "tally-1@1"];
    let other = run_words(&memory, &words).await;
    assert_eq!(other.exit, Exit::Failed, "{other:?}");
    let words = ["dead-letters", "discard", &id, "--reason", "a slip", "--event", "tally-1@2"];
    let discarded = run_words(&memory, &words).await;
    assert_eq!(discarded.exit, Exit::Done, "{discarded:?}");
    assert_eq!(discarded.out, "totals: tally-1@2 was given up\n");
    let shown = run(&memory, &format!("dead-letters show {id}")).await;
    assert!(shown.out.contains("a slip (operator)"), "{shown:?}");
    let view = run(&memory, "view totals 1 --json").await;
    assert_eq!(view.json()[0]["total"], u32::MAX, "what came before the event");
}

#[tokio::test]
async fn what_makes_no_sense_is_told() {
    let memory = Memory::new();
    for (line, exit) in [
        ("dead-letters show none", Exit::Failed),
        ("dead-letters retry none", Exit::Failed),
        ("dead-letters discard none --reason x", Exit::Failed),
        ("dead-letters retry --function nothing", Exit::Failed),
        ("dead-letters retry", Exit::Usage),
        ("dead-letters retry none --function totals", Exit::Usage),
        ("dead-letters discard none", Exit::Usage),
        ("dead-letters discard none --reason x --event tally", Exit::Usage),
        ("dead-letters list --closed --function totals", Exit::Usage),
        ("dead-letters list --closed --stream tally-1", Exit::Usage),
        ("dead-letters list --stream tally-1 --function totals", Exit::Usage),
        ("dead-letters list --stream tally", Exit::Usage),
        ("dead-letters retry --all --function totals", Exit::Usage),
        ("dead-letters retry --all --stream tally-1", Exit::Usage),
        ("dead-letters list --limit 0", Exit::Usage),
        ("dead-letters list --cursor nonsense", Exit::Usage),
        ("dead-letters", Exit::Usage),
    ] {
        let ran = run(&memory, line).await;
        assert_eq!(ran.exit, exit, "{line}: {ran:?}");
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn letters_are_seen_to_where_the_app_is_served() {
    let memory = poisoned().await;
    let served = Served::begin(cli_of(app(), &memory), &["serve", "--port", "0"]).await;
    let url = &served.url;
    let elsewhere = Memory::new();
    let ask = async |line: &str| run(&elsewhere, &format!("{line} --url {url} --json")).await;
    let listed = ask("dead-letters list --function totals").await.json().remove(0);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(ask(&format!("dead-letters show {id}")).await.json()[0], listed["items"][0]);
    let retried = ask(&format!("dead-letters retry {id}")).await;
    assert_eq!((retried.exit, &retried.json()[0]["attempts"]), (Exit::Failed, &json!(2)));
    let all = ask("dead-letters retry --function totals").await;
    assert_eq!(all.json()[0]["waiting"].as_array().unwrap().len(), 2, "{all:?}");
    let of_stream = ask("dead-letters list --stream tally-2").await;
    assert_eq!(of_stream.json()[0]["items"].as_array().unwrap().len(), 1, "{of_stream:?}");
    let of_stream = ask("dead-letters retry --stream tally-2").await;
    assert_eq!(of_stream.json()[0]["waiting"][0]["stream"], "tally-2", "{of_stream:?}");
    let everything = ask("dead-letters retry --all").await;
    assert_eq!(everything.json()[0]["waiting"].as_array().unwrap().len(), 2, "{everything:?}");
    let discarded = ask(&format!("dead-letters discard {id} --reason slip")).await;
    assert_eq!(discarded.json()[0]["status"], "discarded", "{discarded:?}");
    let missing = ask("dead-letters show none").await;
    assert_eq!(missing.exit, Exit::Failed, "{missing:?}");
    assert_eq!(served.end().await.exit, Exit::Done);
}
