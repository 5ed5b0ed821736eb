//! `send`: what is given to the app, and what is told of the outcome.

mod common;

use std::io::Cursor;

use common::{cli, memory_after, run, run_on, run_words};
use skyfold_cli::{Console, Exit};
use skyfold_memory::Memory;

const ADD: &str = r#"{"amount":5,"owner":"ada"}"#;

#[tokio::test]
async fn an_accepted_command_is_told_with_its_version_and_events() {
    let memory = Memory::new();
    let ran = run_words(&memory, &["send", "tally", "1", "add", ADD]).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert_eq!(ran.out, "accepted: tally-1 is at version 1\ntally-1@1\n");
}

#[tokio::test]
async fn a_command_goes_by_its_path_or_its_variant() {
    let memory = Memory::new();
    run_words(&memory, &["send", "tally", "1", "Add", ADD]).await;
    let ran = run(&memory, "--json send tally 1 write-off").await;
    assert_eq!(ran.json()[0]["version"], 2);
    assert_eq!(ran.json()[0]["events"], serde_json::json!(["tally-1@2"]));
}

#[tokio::test]
async fn a_command_without_fields_takes_none_in_any_form() {
    for nothing in [&[][..], &["{}"], &["null"]] {
        let words = [&["send", "tally", "1", "write-off"], nothing].concat();
        let ran = run_words(&Memory::new(), &words).await;
        assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_on_the_error_stream_and_by_the_exit_code() {
    let memory = memory_after(&["send tally 1 write-off"]).await;
    let ran = run(&memory, "send tally 1 write-off --quiet").await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Failed, ""));
    assert_eq!(ran.err, "refused: the tally is written off\n");

    let ran = run(&memory, "send tally 1 write-off --json").await;
    let problem: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(problem["type"], "/problems/refused");
    assert_eq!(problem["detail"], "the tally is written off");
}

#[tokio::test]
async fn the_same_id_is_answered_with_the_first_outcome() {
    let memory = Memory::new();
    let words = ["send", "tally", "1", "add", ADD, "--id", "k"];
    run_words(&memory, &words).await;
    let again = run_words(&memory, &words).await;
    assert_eq!(again.out, "accepted before: tally-1 is at version 1\ntally-1@1\n");
    let other =
        run_words(&memory, &["send", "tally", "1", "write-off", "--id", "k", "--json"]).await;
    assert_eq!(other.exit, Exit::Failed);
    assert!(other.err.contains("/problems/id-reused"), "{other:?}");
}

#[tokio::test]
async fn a_command_for_another_version_is_a_conflict() {
    let memory = Memory::new();
    let ran = run_words(&memory, &["send", "tally", "1", "add", ADD, "--expect", "7"]).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("tally-1 is at version 0, not 7"), "{ran:?}");
    let ran = run_words(&memory, &["send", "tally", "1", "add", ADD, "--expect", "0"]).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
}

#[tokio::test]
async fn fields_are_read_from_the_input_or_a_file() {
    let memory = Memory::new();
    let (console, captured) = Console::captured();
    let console = console.with_input(Cursor::new(ADD));
    let ran = run_on(cli(&memory), &["send", "tally", "1", "add", "-"], console, &captured).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");

    let file = std::env::temp_dir().join(format!("skyfold-cli-{}.json", std::process::id()));
    std::fs::write(&file, ADD).unwrap();
    let fields = format!("@{}", file.display());
    let ran = run_words(&memory, &["send", "tally", "1", "add", &fields]).await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ran.out, "accepted: tally-1 is at version 2\ntally-1@2\n");

    let ran = run(&memory, "send tally 1 add @/nowhere.json").await;
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("/nowhere.json"), "{ran:?}");
}

#[tokio::test]
async fn fields_that_are_too_large_are_not_read_to_their_end() {
    let (console, captured) = Console::captured();
    let console = console.with_input(std::io::repeat(b' '));
    let memory = Memory::new();
    let ran = run_on(cli(&memory), &["send", "tally", "1", "add", "-"], console, &captured).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("more than 262144 bytes"), "{ran:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_a_matter_of_usage() {
    let memory = Memory::new();
    for (words, part) in [
        (&["send", "tally", "1", "add", "{"][..], "malformed JSON"),
        (&["send", "tally", "1", "add", r#"{"amount":true}"#], "not a command of tally"),
        (&["send", "tally", "1", "write-off", r#"{"a":1}"#], "has no fields"),
        (&["send", "tally", "a/b", "write-off"], "'/' is not legal"),
        (&["send", "tally", "1", "write-off", "--id", ""], "a command id is"),
    ] {
        let ran = run_words(&memory, words).await;
        assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
        assert!(ran.err.contains(part), "{ran:?}");
    }
}

#[tokio::test]
async fn what_the_app_does_not_have_is_told_with_what_it_has() {
    let memory = Memory::new();
    for (line, part) in [
        ("send tally 1 remove", "tally has no command \"remove\"; it has "),
        ("send order 1 place", "probe has no category \"order\"; it has tally"),
        ("send totals 1 place", "probe has no category \"totals\"; it has tally"),
        ("query who", "probe has no query \"who\"; it has owned"),
        ("view orders 1", "probe has no read model \"orders\"; it has totals"),
        ("list totals by-name ada", "by-owner"),
        ("state order-1", "it has tally"),
        ("replay who", "no projection who"),
    ] {
        let ran = run(&memory, line).await;
        assert_eq!(ran.exit, Exit::Failed, "{ran:?}");
        assert!(ran.err.contains(part), "{ran:?}");
    }
}
