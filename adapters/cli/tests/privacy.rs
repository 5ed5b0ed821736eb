//! `privacy`: here, and where the app is being served.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use common::{Served, cli, run, run_words};
use skyfold_cli::Exit;
use skyfold_memory::Memory;

#[tokio::test]
async fn whoever_is_forgotten_is_listed_with_the_first_reason() {
    let memory = Memory::new();
    let forget = ["privacy", "forget", "ada", "--reason", "asked by letter", "--json"];
    let forgotten = run_words(&memory, &forget).await;
    assert_eq!(forgotten.exit, Exit::Done, "{forgotten:?}");
    let receipt = &forgotten.json()[0];
    assert_eq!((&receipt["subject"], &receipt["by"]), (&"ada".into(), &"operator".into()));
    let again = run(&memory, "privacy forget ada --reason again --by office").await;
    assert!(again.out.starts_with("ada was forgotten at "), "{again:?}");
    let listed = run(&memory, "privacy forgotten --json").await;
    assert_eq!(listed.json()[0]["items"], serde_json::json!([receipt]));
    let table = run(&memory, "privacy forgotten").await;
    assert!(table.out.contains("asked by letter"), "{table:?}");
    let renewed = run(&memory, "privacy renew ada").await;
    assert_eq!(renewed.exit, Exit::Failed, "{renewed:?}");
    let renewed = run(&memory, "privacy renew bob --json").await;
    assert_eq!(renewed.json()[0], serde_json::json!({ "subject": "bob", "key": 1 }));
}

#[tokio::test]
async fn a_reason_must_be_given_and_be_short() {
    let memory = Memory::new();
    let ran = run(&memory, "privacy forget ada").await;
    assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
    let reason = "x".repeat(201);
    let ran = run_words(&memory, &["privacy", "forget", "ada", "--reason", &reason]).await;
    assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
    let listed = run(&memory, "privacy forgotten --json").await;
    assert_eq!(listed.json()[0], serde_json::json!({ "items": [] }));
}

#[tokio::test]
async fn a_served_app_forgets_where_it_runs() {
    let memory = Memory::new();
    let served = Served::begin(cli(&memory), &["serve", "--port", "0"]).await;
    let url = &served.url;
    let elsewhere = Memory::new();
    let forget = ["privacy", "forget", "ada", "--reason", "asked", "--url", url, "--json"];
    let forgotten = run_words(&elsewhere, &forget).await;
    assert_eq!(forgotten.json()[0]["reason"], "asked", "{forgotten:?}");
    let list = ["privacy", "forgotten", "--url", url, "--json"];
    let listed = run_words(&elsewhere, &list).await;
    assert_eq!(listed.json()[0]["items"][0]["subject"], "ada");
    assert_eq!(served.end().await.exit, Exit::Done);
    let here = run(&memory, "privacy forgotten --json").await;
    assert_eq!(here.json()[0]["items"][0]["subject"], "ada");
}
