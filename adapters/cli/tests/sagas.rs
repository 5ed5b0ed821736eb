//! What an operator sees of transactions, and does about them.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use std::time::Instant;

use common::{PATIENCE, Served, cli, memory_after, run, run_words};
use skyfold_cli::Exit;
use skyfold_memory::Memory;

#[tokio::test]
async fn transactions_are_listed_shown_and_asked_again() {
    let memory = memory_after(&[
        r#"send tally 1 add {"amount":5,"owner":"ada"} --id c1"#,
        r#"send tally 2 add {"amount":2000,"owner":"ada"} --id c2"#,
    ])
    .await;
    let listed = run(&memory, "sagas list limit").await;
    let rows: Vec<_> = listed.words()[1..].iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(rows, ["1 open 1", "2 ended 2"], "{listed:?}");
    // Nothing is old enough to be stuck, unless a second is long.
    assert!(run(&memory, "sagas list limit --stuck --json").await.out.is_empty());
    let stuck = run(&memory, "sagas list limit --stuck --older 0s --json").await.json();
    assert_eq!((stuck.len(), &stuck[0]["id"]), (1, &serde_json::json!("1")));

    let shown = run(&memory, "sagas show limit 2").await;
    assert!(shown.out.starts_with("limit 2 has ended\n"), "{shown:?}");
    assert!(shown.out.contains("tally-2@1"), "{shown:?}");
    assert!(shown.out.contains(r#""WriteOff""#), "{shown:?}");
    let shown = &run(&memory, "sagas show limit 2 --json").await.json()[0];
    assert_eq!(shown["hasEnded"], true);
    assert_eq!(shown["records"][0]["heard"], "tally-2@1");
    assert_eq!(shown["records"][0]["asked"][0]["category"], "tally");

    let retried = run(&memory, "sagas retry limit 2").await;
    assert_eq!(retried.out, "asked again for what 2 records of limit 2 ask for\n");
}

#[tokio::test]
async fn what_is_no_saga_is_told() {
    let memory = memory_after(&[]).await;
    for (line, part) in [
        ("sagas list totals", "no saga totals"),
        ("sagas show nothing 1", "no saga nothing"),
        ("sagas retry limit 9", "limit knows no 9"),
    ] {
        let ran = run(&memory, line).await;
        assert_eq!(ran.exit, Exit::Failed, "{ran:?}");
        assert!(ran.err.contains(part), "{ran:?}");
    }
}

#[tokio::test]
async fn a_command_is_sent_for_a_transaction_once_under_its_number() {
    let memory = memory_after(&[r#"send tally 1 add {"amount":5,"owner":"ada"} --id c1"#]).await;
    let send = "sagas send limit 1 tally 2 add {\"amount\":7,\"owner\":\"bob\"} --reason late";
    for (line, said) in [
        (format!("{send} --number 1"), "sent for limit 1 as number 1\n"),
        (format!("{send} --number 1 --by office"), "sent again for limit 1 as number 1\n"),
        (send.to_owned(), "sent for limit 1 as number 2\n"),
    ] {
        let ran = run(&memory, &line).await;
        assert_eq!(ran.out, said, "{ran:?}");
    }
    memory.settle(&common::app().bind(memory.ports()).unwrap()).await.unwrap();
    let state = run(&memory, "state tally-2 --json").await.json();
    assert_eq!(state[0]["state"]["total"], 14);
    let told = run(&memory, "sagas show limit 1 --json").await.json();
    let by_hand = &told[0]["records"][1]["byHand"];
    assert_eq!((&by_hand["reason"], &by_hand["by"]), (&"late".into(), &"operator".into()));
    let shown = run(&memory, "sagas show limit 1").await;
    assert!(shown.out.contains("by hand, number 2"), "{shown:?}");
}

#[tokio::test]
async fn a_command_is_skipped_for_a_reason() {
    let memory = memory_after(&[r#"send tally 2 add {"amount":2000,"owner":"ada"} --id c2"#]).await;
    let shown = &run(&memory, "sagas show limit 2 --json").await.json()[0];
    let id = shown["records"][0]["asked"][0]["request"]["id"].as_str().unwrap();
    let ran = run(&memory, &format!("sagas skip limit 2 --command {id} --reason done")).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("has taken effect at tally-2@2"), "{ran:?}");
    for wrong in [
        "sagas skip limit 2 --event tally-2@1",
        "sagas skip limit 2 --reason why",
        "sagas skip limit 2 --event tally-2@1 --command x --reason why",
    ] {
        assert_eq!(run(&memory, wrong).await.exit, Exit::Usage, "{wrong}");
    }
}

#[tokio::test]
async fn a_served_app_is_helped_where_it_runs() {
    let memory = memory_after(&[r#"send tally 1 add {"amount":5,"owner":"ada"} --id c1"#]).await;
    let served = Served::begin(cli(&memory), &["serve", "--port", "0"]).await;
    let url = &served.url;
    let elsewhere = Memory::new();
    let at = |line: &str| format!("{line} --url {url}");
    let send = "sagas send limit 1 tally 1 write-off --reason late --json";
    let sent = run(&elsewhere, &at(send)).await;
    assert_eq!(sent.json()[0]["record"], "saga.limit-1@2", "{sent:?}");
    // What it hears of meanwhile keeps it from being quiet.
    let (list, started) = (at("sagas list limit --older 0s --since 2001-01-01"), Instant::now());
    let mut listed = run(&elsewhere, &list).await;
    while listed.words().len() < 2 {
        assert!(started.elapsed() < PATIENCE, "{listed:?}");
        listed = run(&elsewhere, &list).await;
    }
    assert_eq!(listed.words()[1][0], "1", "{listed:?}");
    let retried = run(&elsewhere, &at("sagas retry limit 1 --json")).await.json();
    assert!(retried[0]["records"].as_u64() >= Some(2), "{retried:?}");
    let shown = run(&elsewhere, &at("sagas show limit 1")).await;
    assert!(shown.out.contains("by hand, number 1"), "{shown:?}");
    let skip =
        ["sagas", "skip", "limit", "1", "--event", "tally-1@1", "--reason", "x", "--url", url];
    let skipped = run_words(&elsewhere, &skip).await;
    assert!(skipped.err.contains("limit 1 has heard tally-1@1"), "{skipped:?}");
    assert_eq!(served.end().await.exit, Exit::Done);
}
