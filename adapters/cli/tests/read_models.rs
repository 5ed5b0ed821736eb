//! `replay`, `revisions`, `switch`, `verify` and `drop`: what an operator does with views.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use common::{Served, Tally, TallyEvent, Totals, cli_of, run_of, run_on};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use skyfold::ports::{DocumentKey, Guard, Write};
use skyfold::{App, Payload, Projection, RecordedEvent, Subscription};
use skyfold_cli::{Console, Exit};
use skyfold_memory::{Memory, VirtualClock};

/// The totals in their next revision, which cannot handle a number that is odd.
struct Even;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct EvenTotal {
    pairs: u32,
}

impl Projection for Even {
    const NAME: &'static str = "totals";
    const REVISION: u32 = 2;
    type Input = TallyEvent;
    type View = EvenTotal;

    fn subscription() -> Subscription<TallyEvent> {
        Subscription::of::<Tally>()
    }

    fn project(
        _: &str,
        view: Option<EvenTotal>,
        event: &RecordedEvent<TallyEvent>,
    ) -> Option<EvenTotal> {
        let TallyEvent::Added { amount, .. } = &event.data else { return None };
        assert!(amount.is_multiple_of(2), "{amount} is odd");
        Some(EvenTotal { pairs: view.map_or(0, |view| view.pairs) + amount / 2 })
    }
}

fn old() -> App {
    App::new("probe").decider::<Tally>().projection::<Totals>()
}

/// The release in which the new revision is built beside the old one.
fn both() -> App {
    old().projection::<Even>()
}

/// The release after that.
fn new() -> App {
    App::new("probe").decider::<Tally>().projection::<Even>()
}

/// A memory in which whoever waits moves the clock on.
async fn filled() -> Memory {
    let memory = Memory::with_clock(VirtualClock::new());
    fill(&memory).await;
    memory
}

/// Three tallies of two events each, whose totals of the old revision are up to date.
async fn fill(memory: &Memory) {
    let add = |tally| format!(r#"send tally {tally} add-each {{"amounts":[2,4],"owner":"ada"}}"#);
    for line in [add(1), add(2), add(3)] {
        assert_eq!(run_of(old(), memory, &line).await.exit, Exit::Done);
    }
    memory.settle(&old().bind(memory.ports()).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_dry_run_tells_what_is_new_and_changes_nothing() {
    let memory = filled().await;
    let up_to_date = run_of(old(), &memory, "replay totals --dry-run").await;
    assert_eq!(up_to_date.exit, Exit::Done, "{up_to_date:?}");
    assert_eq!(up_to_date.out, "0 of 6 events are new to revision 1 of totals\n");
    for (scope, events) in [
        ("", 6),
        ("--category tally --rate 1000", 6),
        ("--from 2", 6),
        ("--from 3", 0),
        ("--from 2000-01-01", 6),
        ("--from 2999-01-01", 0),
    ] {
        let ran = run_of(both(), &memory, &format!("replay totals --dry-run --json {scope}")).await;
        let told = &ran.json()[0];
        assert_eq!((&told["events"], &told["new"]), (&json!(events), &json!(events)), "{scope}");
        assert_eq!(told["revision"], 2);
        let streams = told["examples"].as_array().unwrap().len();
        assert_eq!(streams, if events == 0 { 0 } else { 3 }, "{scope}: {told}");
    }
    let view = run_of(new(), &memory, "view totals 1").await;
    assert_eq!(view.exit, Exit::Failed, "nothing was built: {view:?}");
    let revisions = run_of(both(), &memory, "revisions totals --json").await;
    assert_eq!(revisions.json()[0][1]["built"], "live", "{revisions:?}");
}

#[tokio::test]
async fn a_dry_run_tells_what_could_not_be_handled() {
    let memory = filled().await;
    let odd = r#"send tally 2 add {"amount":3,"owner":"ada"}"#;
    assert_eq!(run_of(old(), &memory, odd).await.exit, Exit::Done);
    let ran = run_of(both(), &memory, "replay totals --dry-run").await;
    assert_eq!(ran.exit, Exit::Failed, "{ran:?}");
    assert!(ran.out.contains("1 streams could not be handled to their end"), "{ran:?}");
    assert!(ran.out.contains("tally-2@"), "{ran:?}");
    assert!(ran.out.contains("3 is odd"), "{ran:?}");
    let wrong = run_of(both(), &memory, "replay totals --dry-run --switch").await;
    assert_eq!(wrong.exit, Exit::Usage, "{wrong:?}");
}

#[tokio::test]
async fn a_revision_is_built_switched_to_and_the_old_one_dropped() {
    let memory = filled().await;
    let early = run_of(both(), &memory, "switch totals").await;
    assert_eq!(early.exit, Exit::Failed, "{early:?}");
    assert!(early.err.contains("revision 2 of totals is not complete"), "{early:?}");
    let health = run_of(both(), &memory, "health").await;
    assert!(health.out.contains("revision 2 of totals was not built\n"), "{health:?}");
    assert!(health.err.contains("replay totals --revision 2"), "{health:?}");

    let replayed = run_of(both(), &memory, "replay totals --json").await;
    let told = &replayed.json()[0];
    assert_eq!((&told["revision"], &told["events"]), (&json!(2), &json!(6)), "{told}");
    assert!(told["seconds"].as_f64().unwrap() >= 0.0 && told["switched"].is_null(), "{told}");
    let health = run_of(both(), &memory, "health --json").await;
    assert!(health.json()[0].get("unbuilt").is_none(), "{health:?}");
    let view = run_of(both(), &memory, "view totals 1 --json").await;
    assert_eq!(view.json()[0]["total"], 6, "the old revision answers");

    let switched = run_of(both(), &memory, "switch totals 2").await;
    assert_eq!(switched.out, "revision 2 of totals answers now\n", "{switched:?}");
    let view = run_of(both(), &memory, "view totals 1 --json").await;
    assert_eq!(view.json()[0], json!({ "pairs": 3 }));
    let listed = run_of(both(), &memory, "revisions totals").await;
    let rows: Vec<_> = listed.words()[1..].iter().map(|row| row.join(" ")).collect();
    assert_eq!(rows, ["1 totals.1 live", "2 totals.2 by a replay answers"], "{listed:?}");

    let still = run_of(both(), &memory, "drop totals 1").await;
    assert_eq!(still.exit, Exit::Failed, "the app lists it: {still:?}");
    let dropped = run_of(new(), &memory, "drop totals 1 --json").await;
    assert_eq!(dropped.json()[0]["revision"], 1, "{dropped:?}");
    assert!(dropped.json()[0]["removed"].as_u64().unwrap() >= 3, "{dropped:?}");
    let view = run_of(new(), &memory, "view totals 3 --json").await;
    assert_eq!(view.json()[0], json!({ "pairs": 3 }));
}

#[tokio::test]
async fn a_replay_that_was_interrupted_goes_on() {
    let memory = Memory::new();
    fill(&memory).await;
    let store = memory.clone();
    let slow = async move { run_of(both(), &store, "replay totals --rate 1").await };
    let slow = tokio::spawn(slow);
    let built = async || {
        let revisions = run_of(both(), &memory, "revisions totals --json").await.json();
        revisions[0][1]["built"].clone()
    };
    while built().await != "in-part" {
        assert!(!slow.is_finished(), "6 events at 1 a second take a while");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    slow.abort();
    assert!(slow.await.unwrap_err().is_cancelled());
    assert_eq!(run_of(both(), &memory, "switch totals").await.exit, Exit::Failed);
    let rest = run_of(both(), &memory, "replay totals --switch --json").await;
    let told = &rest.json()[0];
    assert_eq!((&told["events"], &told["switched"]), (&json!(6), &json!(true)), "{rest:?}");
    let view = run_of(both(), &memory, "view totals 1 --json").await;
    assert_eq!(view.json()[0], json!({ "pairs": 3 }));
}

#[tokio::test]
async fn what_was_complete_once_stays_so_after_a_replay_of_a_part() {
    let memory = filled().await;
    assert_eq!(run_of(both(), &memory, "replay totals").await.exit, Exit::Done);
    assert_eq!(run_of(both(), &memory, "replay totals --from 2").await.exit, Exit::Done);
    let switched = run_of(both(), &memory, "switch totals").await;
    assert_eq!(switched.exit, Exit::Done, "{switched:?}");
}

#[tokio::test]
async fn a_replay_that_meets_what_it_cannot_handle_fails_and_does_not_switch() {
    let memory = filled().await;
    let odd = r#"send tally 2 add {"amount":3,"owner":"ada"}"#;
    assert_eq!(run_of(old(), &memory, odd).await.exit, Exit::Done);
    let ran = run_of(both(), &memory, "replay totals --switch --json").await;
    assert_eq!(ran.exit, Exit::Failed, "{ran:?}");
    let told = &ran.json()[0];
    assert_eq!((&told["switched"], &told["unhandled"]), (&json!(false), &json!(1)), "{told}");
    assert!(told["examples"][0]["why"].as_str().unwrap().contains("3 is odd"), "{told}");
}

#[tokio::test]
async fn verify_finds_a_view_that_was_tampered_with_and_repairs_it() {
    let memory = filled().await;
    let sound = run_of(old(), &memory, "verify totals --json").await;
    assert_eq!((sound.exit, &sound.json()[0]["drifted"]), (Exit::Done, &json!(0)), "{sound:?}");
    let key = DocumentKey { collection: "totals.1".into(), id: "2".into() };
    let documents = memory.ports().documents;
    let found = documents.get(std::slice::from_ref(&key)).await.unwrap().remove(0).unwrap();
    let altered = found.body.get().replace(r#""total":6"#, r#""total":7"#);
    assert_ne!(altered, found.body.get());
    let (body, guard) = (Some(Payload::parse(&altered).unwrap()), Guard::None);
    let write = Write { key, body, listings: vec![], guard, expires: None };
    documents.write(&[write]).await.remove(0).unwrap();
    let drifted = run_of(old(), &memory, "verify totals").await;
    assert_eq!(drifted.exit, Exit::Failed, "{drifted:?}");
    assert!(drifted.out.contains("1 have drifted\n"), "{drifted:?}");
    let differs = drifted.words().into_iter().find(|row| row[..2] == ["2", "different"]);
    assert_eq!(differs.unwrap()[2..], ["/total", "7", "6"], "{drifted:?}");
    assert!(drifted.err.contains("hint: to put them right: verify totals --repair"), "{drifted:?}");
    let repaired = run_of(old(), &memory, "verify totals --repair --json").await;
    assert_eq!(repaired.exit, Exit::Done, "{repaired:?}");
    let view = run_of(old(), &memory, "view totals 2 --json").await;
    assert_eq!(view.json()[0]["total"], 6);
    assert_eq!(run_of(old(), &memory, "verify totals").await.exit, Exit::Done);
}

#[tokio::test]
async fn what_is_no_projection_is_told() {
    let memory = Memory::new();
    for (line, exit, part) in [
        ("replay nothing", Exit::Failed, "no projection nothing"),
        ("verify tally", Exit::Failed, "keeps no views"),
        ("revisions nothing", Exit::Failed, "no projection nothing"),
        ("replay totals --revision 7", Exit::Failed, "not in revision 7"),
        ("switch totals 7", Exit::Failed, "not in revision 7"),
        ("replay totals --category other", Exit::Usage, "hears no category"),
        ("replay totals --rate 0", Exit::Usage, "--rate"),
        ("drop totals", Exit::Usage, "REVISION"),
    ] {
        let ran = run_of(old(), &memory, line).await;
        assert_eq!(ran.exit, exit, "{line}: {ran:?}");
        assert!(ran.err.contains(part), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn a_revision_is_built_and_switched_to_where_the_app_runs() {
    let memory = Memory::new();
    fill(&memory).await;
    let served = Served::begin(cli_of(both(), &memory), &["serve", "--port", "0"]).await;
    let ask = async |line: &str| {
        let words: Vec<_> = line.split_whitespace().chain(["--url", &served.url]).collect();
        let (console, captured) = Console::captured();
        run_on(cli_of(both(), &Memory::new()), &words, console, &captured).await
    };
    let tried = ask("replay totals --dry-run").await;
    assert!(tried.out.starts_with("6 of 6 events are new to revision 2 of"), "{tried:?}");
    assert_eq!(ask("switch totals").await.exit, Exit::Failed);
    // The app pauses after some seconds, and is asked to go on.
    let replayed = ask("replay totals --rate 1 --from 2000-01-01 --json").await;
    let told = &replayed.json()[0];
    assert_eq!((&told["revision"], &told["events"]), (&json!(2), &json!(6)), "{replayed:?}");
    assert_eq!(ask("switch totals 2").await.exit, Exit::Failed, "that was a part");
    let switched = ask("replay totals --restart --switch").await;
    assert!(switched.out.ends_with("revision 2 of totals answers now\n"), "{switched:?}");
    let listed = ask("revisions totals").await;
    let rows: Vec<_> = listed.words()[1..].iter().map(|row| row.join(" ")).collect();
    assert_eq!(rows, ["1 totals.1 live", "2 totals.2 by a replay answers"], "{listed:?}");
    assert_eq!(ask("view totals 1 --json").await.json()[0], json!({ "pairs": 3 }));
    let verified = ask("verify totals").await;
    assert_eq!(verified.out, "3 views of totals compared with 6 events\n", "{verified:?}");
    let dropped = ask("drop totals 7 --json").await;
    assert_eq!(dropped.json()[0]["removed"], 0, "{dropped:?}");
    for (line, exit, part) in [
        ("replay nothing", Exit::Failed, "no projection nothing"),
        ("replay totals --category other", Exit::Usage, "hears no category \"other\""),
        ("drop totals 1", Exit::Failed, "the app lists revision 1 of totals"),
        ("verify nothing", Exit::Failed, "no projection nothing"),
    ] {
        let ran = ask(line).await;
        assert_eq!(ran.exit, exit, "{line}: {ran:?}");
        assert!(ran.err.contains(part), "{line}: {ran:?}");
    }
    assert_eq!(served.end().await.exit, Exit::Done);
}
