//! The commands that look: what they show, to people and to machines.

mod common;

use std::time::Duration;

use common::{Served, app, cli, memory_after, run, run_words};
use serde_json::json;
use skyfold_cli::Exit;
use skyfold_memory::{Memory, VirtualClock};

/// Two tallies of one owner and one of another.
async fn memory() -> Memory {
    memory_after(&[
        r#"send tally 1 add {"amount":5,"owner":"ada"} --id c1"#,
        r#"send tally 1 add {"amount":2,"owner":"ada"} --id c2"#,
        r#"send tally 2 add {"amount":3,"owner":"ada"} --id c3"#,
        r#"send tally 3 add {"amount":9,"owner":"bob"} --id c4"#,
    ])
    .await
}

#[tokio::test]
async fn a_state_is_shown_now_and_as_it_was() {
    let memory = memory().await;
    let ran = run(&memory, "state tally-1").await;
    assert!(ran.out.starts_with("tally-1 at version 2, 20"), "{ran:?}");
    let fields = [vec!["field", "value"], vec!["total", "7"], vec!["is_written_off", "false"]];
    assert_eq!(ran.words()[1..], fields);

    let ran = run(&memory, "state tally-1 --at 1 --json").await;
    let state = &ran.json()[0];
    assert_eq!(state["version"], 1);
    assert_eq!(state["state"], json!({ "total": 5, "is_written_off": false }));
    let time = state["time"].as_str().unwrap();
    let ran = run_words(&memory, &["state", "tally-1", "--at", time, "--json"]).await;
    assert_eq!(ran.json()[0]["stream"], "tally-1");
}

#[tokio::test]
async fn a_state_that_never_was_is_not_found() {
    let memory = memory().await;
    for (line, part) in [
        ("state tally-9", "tally-9 has no events"),
        ("state tally-1 --at 2001-01-01", "tally-1 had no events at that time"),
        ("state tally-1 --at 9", "has only reached version 2, not 9"),
    ] {
        let ran = run(&memory, line).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Failed, ""));
        assert!(ran.err.contains(part), "{ran:?}");
    }
}

#[tokio::test]
async fn a_saga_shows_its_state_as_it_is_now() {
    let memory = memory().await;
    let ran = run(&memory, "state saga.limit-1 --json").await;
    assert_eq!(ran.json()[0]["state"], json!({ "hasEnded": false, "state": 7 }));
    let ran = run(&memory, "state saga.limit-1 --at 1").await;
    assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
}

#[tokio::test]
async fn the_newest_events_are_shown_oldest_first() {
    let memory = memory().await;
    let ran = run(&memory, "events tail --category tally --limit 3 --json").await;
    let ids: Vec<_> = ran.json().iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, ["tally-1@2", "tally-2@1", "tally-3@1"]);
    let last = &ran.json()[2];
    assert_eq!(last["specversion"], "1.0");
    assert_eq!(last["source"], "/probe");
    assert_eq!(last["type"], "tally.Added");
    assert_eq!(last["data"], json!({ "amount": 9, "owner": "bob" }));
    assert_eq!(last["causationid"], "c4");
    assert_eq!(last["correlationid"], "c4");

    let ran = run(&memory, "events tail --category tally --limit 1").await;
    assert_eq!(ran.words()[0], ["time", "event", "type", "data"]);
    assert_eq!(ran.words()[1][1..], ["tally-3@1", "Added", r#"{"amount":9,"owner":"bob"}"#]);
    assert_eq!(ran.words().len(), 2);
}

#[tokio::test]
async fn the_newest_events_of_all_categories_include_those_of_sagas() {
    let memory = memory().await;
    let all = run(&memory, "events tail --json").await.json();
    let of = |prefix: &str| {
        all.iter().filter(|event| event["subject"].as_str().unwrap().starts_with(prefix)).count()
    };
    assert_eq!((of("tally-"), of("saga.limit-")), (4, 4));
    let sagas = run(&memory, "events tail --category saga.limit --json").await;
    assert_eq!(sagas.json().len(), 4);
    let ran = run(&memory, "events tail --category orders").await;
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("it has tally, saga.limit"), "{ran:?}");
}

#[tokio::test]
async fn a_stream_is_shown_from_a_version_on() {
    let memory = memory().await;
    let versions = async |line: &str| {
        let events = run(&memory, line).await.json();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(versions("events show tally-1 --json").await, ["tally-1@1", "tally-1@2"]);
    assert_eq!(versions("events show tally-1 --json --from 2").await, ["tally-1@2"]);
    assert_eq!(versions("events show tally-1 --json --limit 1").await, ["tally-1@1"]);
    let ran = run(&memory, "events show tally-1 --limit 1").await;
    assert!(ran.err.contains("there is more: --from 2"), "{ran:?}");
    let ran = run(&memory, "events show tally-1 --from 3").await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("tally-1 has no event at version 3 or later"), "{ran:?}");
}

#[tokio::test]
async fn a_stream_is_shown_from_the_middle_of_a_commit_on() {
    let memory = Memory::new();
    let fields = format!(r#"{{"amounts":{:?},"owner":"ada"}}"#, [1; 64]);
    for _ in 0..3 {
        let ran = run_words(&memory, &["send", "tally", "1", "add-each", &fields]).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    }
    for from in [1, 2, 63, 64, 65, 66, 128, 129, 192] {
        let line = format!("events show tally-1 --json --limit 3 --from {from}");
        let ids: Vec<_> =
            run(&memory, &line).await.json().iter().map(|e| e["id"].clone()).collect();
        let expected: Vec<_> = (from..=192).take(3).map(|v| format!("tally-1@{v}")).collect();
        assert_eq!(ids, expected);
    }
    let line = "events show tally-1 --json --limit 192";
    assert_eq!(run(&memory, line).await.json().len(), 192);
}

#[tokio::test]
async fn the_newest_events_are_found_however_old_they_are() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock.clone());
    let day = Duration::from_secs(24 * 60 * 60);
    for (tally, pause) in [("1", 30 * day), ("2", 10 * day), ("3", day / 2), ("4", day / 48)] {
        let fields = r#"{"amount":5,"owner":"ada"}"#;
        let ran = run_words(&memory, &["send", "tally", tally, "add", fields]).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
        clock.advance(pause);
    }
    let all = ["tally-1@1", "tally-2@1", "tally-3@1", "tally-4@1"];
    for limit in 1..=5 {
        let line = format!("events tail --category tally --json --limit {limit}");
        let ids: Vec<_> =
            run(&memory, &line).await.json().iter().map(|e| e["id"].clone()).collect();
        assert_eq!(ids, all[all.len().saturating_sub(limit)..]);
    }
}

#[tokio::test]
async fn a_view_is_shown_by_its_key() {
    let memory = memory().await;
    let ran = run(&memory, "view totals 1").await;
    let fields = [vec!["field", "value"], vec!["tally", "1"], vec!["total", "7"]];
    assert_eq!(ran.words()[..3], fields);
    let ran = run(&memory, "view totals 1 --after tally-1@2 --json").await;
    assert_eq!(ran.out, "{\"tally\":\"1\",\"total\":7,\"owner\":\"ada\"}\n");
    let ran = run(&memory, "view totals 9").await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("totals has no view \"9\""), "{ran:?}");
}

#[tokio::test]
async fn a_list_is_shown_page_by_page() {
    let memory = memory().await;
    let ran = run(&memory, "list totals by-owner ada --order descending").await;
    let rows = [vec!["tally", "total", "owner"], vec!["2", "3", "ada"], vec!["1", "7", "ada"]];
    assert_eq!(ran.words(), rows);

    let page = run(&memory, "list totals by-owner ada --limit 1").await;
    let cursor = page.err.rsplit("--cursor ").next().unwrap().trim();
    let next = ["list", "totals", "by-owner", "ada", "--limit", "1", "--json", "--cursor", cursor];
    let page = run_words(&memory, &next).await;
    assert_eq!(page.json()[0]["items"][0]["tally"], "2");
    let ran = run(&memory, "list totals by-owner nobody").await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, "nothing\n"));
}

#[tokio::test]
async fn a_question_takes_pairs_or_an_object() {
    let memory = memory().await;
    let expected = json!([{ "tally": "1", "total": 7, "owner": "ada" }]);
    for params in [&["owner=ada", "limit=1"][..], &[r#"{"owner":"ada","limit":1}"#]] {
        let words = [&["query", "owned", "--json"], params].concat();
        assert_eq!(run_words(&memory, &words).await.json()[0]["items"], expected);
    }
    let ran = run(&memory, "query owned owner=ada --after tally-2@1").await;
    assert_eq!(ran.words().len(), 3, "{ran:?}");
    let ran = run(&memory, "query owned limit=1").await;
    assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
    assert!(ran.err.contains("not the parameters of owned"), "{ran:?}");
}

#[tokio::test]
async fn health_tells_who_is_behind() {
    let memory = memory().await;
    let ran = run(&memory, "health").await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert!(ran.out.starts_with("healthy; head: "), "{ran:?}");
    assert!(ran.words().contains(&vec!["totals", "0", "0"]), "{ran:?}");
    let health = &run(&memory, "health --json").await.json()[0];
    assert_eq!(health["healthy"], true);
}

#[tokio::test]
async fn a_replay_delivers_what_was_missed_and_tells_how_much() {
    use skyfold::{CommandId, CommandRequest, Metadata, Payload, StreamId, Trigger};

    let memory = Memory::new();
    let runtime = app().bind(memory.ports()).unwrap();
    let command = Payload::parse(r#"{"Add":{"amount":5,"owner":"ada"}}"#).unwrap();
    let (stream, id) = (StreamId::new("1").unwrap(), CommandId::new("c").unwrap());
    let metadata = Metadata::default();
    let request = CommandRequest { stream, id, command, expected: None, metadata };
    runtime.invoke("tally", Trigger::Command(request)).await.unwrap();
    assert_eq!(run(&memory, "view totals 1").await.exit, Exit::Failed);

    let ran = run(&memory, "replay totals --category tally --since 2001-01-01 --json").await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert_eq!((&ran.json()[0]["name"], &ran.json()[0]["events"]), (&json!("totals"), &json!(1)));
    assert_eq!(run(&memory, "view totals 1 --json").await.json()[0]["total"], 5);
    let ran = run(&memory, "replay totals --since 2999-01-01").await;
    assert!(ran.out.starts_with("0 events to totals in "), "{ran:?}");
}

#[tokio::test]
async fn what_cannot_be_replayed_or_switched_to_is_refused() {
    let memory = memory().await;
    for (line, exit, why) in [
        ("replay limit", Exit::Usage, "limit is a saga"),
        ("replay totals --revision 7", Exit::Failed, "not in revision 7"),
        ("switch totals 7", Exit::Failed, "not in revision 7"),
        ("drop totals 1", Exit::Failed, "take it out of the app first"),
    ] {
        let ran = run(&memory, line).await;
        assert_eq!(ran.exit, exit, "{line}: {ran:?}");
        assert!(ran.err.contains(why), "{line}: {ran:?}");
    }
    let ran = run(&memory, "drop totals 7 --json").await;
    assert_eq!(ran.json()[0]["removed"], 0, "{ran:?}");
    let ran = run(&memory, "replay totals --rate 1000000 --restart --switch --json").await;
    assert_eq!((&ran.json()[0]["switched"], ran.exit), (&json!(true), Exit::Done), "{ran:?}");
    let ran = run(&memory, "revisions totals").await;
    assert!(
        ran.words().contains(&vec!["1", "totals.1", "by", "a", "replay", "answers"]),
        "{ran:?}"
    );
}

#[tokio::test]
async fn drift_is_told_fails_and_is_put_right() {
    use skyfold::Payload;
    use skyfold::ports::{DocumentKey, Guard, Write};
    use skyfold_memory::VirtualClock;

    // Views that differ are looked at again 10 s later, of a clock that does not keep us waiting.
    let memory = Memory::with_clock(VirtualClock::new());
    let sent = run(&memory, r#"send tally 1 add {"amount":5,"owner":"ada"}"#).await;
    assert_eq!(sent.exit, Exit::Done, "{sent:?}");
    memory.settle(&app().bind(memory.ports()).unwrap()).await.unwrap();
    let sound = run(&memory, "verify totals").await;
    assert_eq!(sound.exit, Exit::Done, "{sound:?}");
    let key = DocumentKey { collection: "totals.1".into(), id: "1".into() };
    let body = Some(Payload::parse(r#"{"view":[],"seen":[["tally-1",99]]}"#).unwrap());
    let write = Write { key, body, listings: vec![], guard: Guard::None, expires: None };
    assert!(memory.ports().documents.write(&[write]).await[0].is_ok());
    let drift = run(&memory, "verify totals").await;
    assert_eq!(drift.exit, Exit::Failed, "{drift:?}");
    assert!(drift.out.contains("1 have drifted"), "{drift:?}");
    assert!(drift.err.contains("--repair"), "{drift:?}");
    let dry = run(&memory, "replay totals --dry-run --json").await;
    assert_eq!(dry.json()[0]["new"], 0, "the view says that it has seen all: {dry:?}");
    let repaired = run(&memory, "verify totals --repair --json").await;
    assert_eq!(repaired.json()[0]["repaired"], 1, "{repaired:?}");
    assert_eq!(repaired.exit, Exit::Done);
    assert_eq!(run(&memory, "verify totals").await.exit, Exit::Done);
}

#[tokio::test]
async fn the_manifest_is_json_in_either_form() {
    let memory = Memory::new();
    for line in ["manifest", "manifest --json"] {
        let ran = run(&memory, line).await;
        let manifest: skyfold::Manifest = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(manifest, app().manifest());
        assert_eq!(ran.err, "");
    }
}

#[tokio::test]
async fn people_are_told_where_the_events_of_an_ephemeral_store_are() {
    let memory = Memory::new();
    let ran = run(&memory, "events tail").await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, ""));
    assert!(ran.err.contains("--url"), "{ran:?}");
    for line in ["events tail --quiet", "events tail --json"] {
        assert_eq!(run(&memory, line).await.err, "");
    }
}

#[tokio::test]
async fn events_are_looked_at_where_the_app_runs() {
    let memory = memory().await;
    let served = Served::begin(cli(&memory), &["serve", "--port", "0"]).await;
    for line in [
        "events tail --category tally --limit 3 --json",
        "events tail --limit 5",
        "events tail --category orders",
        "events show tally-1 --json",
        "events show tally-1 --limit 1",
        "events show tally-1 --from 2",
        "events show tally-1 --from 3",
        "state tally-1 --at 1",
        "state saga.limit-1",
    ] {
        let words: Vec<_> = line.split_whitespace().collect();
        let (here, there) = (run_words(&memory, &words).await, served.run(&words).await);
        assert_eq!((here.exit, &here.out), (there.exit, &there.out), "{line}: {there:?}");
    }
    assert_eq!(served.end().await.exit, Exit::Done);
}

#[tokio::test]
async fn a_long_stream_is_looked_at_where_the_app_runs() {
    let memory = Memory::new();
    let fields = format!(r#"{{"amounts":{:?},"owner":"ada"}}"#, [1; 64]);
    for _ in 0..4 {
        let ran = run_words(&memory, &["send", "tally", "1", "add-each", &fields]).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    }
    let served = Served::begin(cli(&memory), &["serve", "--port", "0"]).await;
    let shown = served.run(&["events", "show", "tally-1", "--json", "--limit", "250"]).await;
    assert_eq!(shown.json().len(), 250);
    let shown = served.run(&["events", "show", "tally-1", "--limit", "250"]).await;
    assert!(shown.err.contains("there is more: --from 251"), "{}", shown.err);
    let newest = served.run(&["events", "tail", "--category", "tally", "--json"]).await.json();
    let ids: Vec<_> = newest.iter().map(|event| event["id"].clone()).collect();
    let expected: Vec<_> = (237..=256).map(|version| format!("tally-1@{version}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(served.end().await.exit, Exit::Done);
}
