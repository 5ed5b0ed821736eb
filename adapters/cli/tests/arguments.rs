//! What holds of every command: exit codes, forms of errors, hooks, and a reader that goes away.

mod common;

use std::io::{self, Write};

use clap::Args;
use common::{Ran, cli, memory_after, run, run_on, run_words};
use skyfold::{CommandId, ErrorKind, Payload, StreamId};
use skyfold_cli::{Console, Context, Exit, Outcome};
use skyfold_memory::Memory;

#[tokio::test]
async fn wrong_arguments_are_a_matter_of_usage() {
    let memory = Memory::new();
    for line in [
        "frobnicate",
        "state",
        "state order",
        "events",
        "list totals by-owner ada --limit 101",
        "list totals by-owner ada --limit 0",
        "state tally-1 --at yesterday",
        "view totals 1 --after tally-1",
        "--port 1 health",
        "-v -q health",
        "serve --url http://127.0.0.1:1",
        "health --url ftp://127.0.0.1",
        "health --url nonsense",
        "privacy renew ada --url http://127.0.0.1:1",
        "state saga.limit-1 --at 1 --url http://127.0.0.1:1",
    ] {
        let ran = run(&memory, line).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Usage, ""), "{line}: {ran:?}");
        assert!(ran.err.contains("error: "), "{line}: {ran:?}");

        let ran = run(&memory, &format!("{line} --json")).await;
        assert_eq!(ran.exit, Exit::Usage, "{line}: {ran:?}");
        let problem: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(problem["type"], "/problems/invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains("Usage"), "{detail}");
    }
}

#[tokio::test]
async fn what_works_on_the_stores_themselves_says_where_to_run_it() {
    let ran = run(&Memory::new(), "privacy renew ada --url http://127.0.0.1:1").await;
    assert!(ran.err.contains("run it without --url where they can be reached"), "{ran:?}");
}

#[tokio::test]
async fn help_is_a_result() {
    let memory = Memory::new();
    for line in ["--help", "help", "events tail --help", "--json --help"] {
        let ran = run(&memory, line).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""), "{line}");
        assert!(ran.out.contains("Usage: "), "{line}: {ran:?}");
    }
}

#[test]
fn the_exit_codes_are_those_that_are_documented() {
    assert_eq!([Exit::Done, Exit::Failed, Exit::Usage].map(Exit::code), [0, 1, 2]);
}

/// A writer whose reader has gone after some bytes, as with `| head`.
struct Gone(usize);

impl Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_the_run_without_a_word() {
    let memory = memory_after(&[r#"send tally 1 add {"amount":5,"owner":"ada"}"#]).await;
    for line in ["events tail --json", "events tail -q", "manifest", "state tally-1 -q", "--help"] {
        for bytes in [0, 10] {
            let (console, captured) = Console::captured();
            let words: Vec<_> = line.split_whitespace().collect();
            let ran = run_on(cli(&memory), &words, console.with_out(Gone(bytes)), &captured).await;
            assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""), "{line}");
        }
    }
}

/// A writer that fails in another way.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn results_that_cannot_be_written_are_a_failure() {
    let (console, captured) = Console::captured();
    let cli = cli(&Memory::new());
    let ran = run_on(cli, &["manifest"], console.with_out(Full), &captured).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("the results could not be written"), "{ran:?}");
}

/// Adds up some numbers.
#[derive(Args)]
struct AddAll {
    /// What to add
    amounts: Vec<u32>,
    /// Whose they are
    #[arg(long, default_value = "ada")]
    owner: String,
}

/// A command of an app's own, as an importer is one.
async fn add_all(context: Context, arguments: AddAll) -> skyfold::Result<Exit> {
    let (client, id) = (context.client(), StreamId::new("all")?);
    for (n, amount) in arguments.amounts.iter().enumerate() {
        let fields = serde_json::json!({ "amount": amount, "owner": arguments.owner });
        let command = client.command("tally", "add", Some(&Payload::encode(&fields)?))?;
        let sent = client.send("tally", &id, CommandId::new(format!("c{n}"))?, command).await?;
        if let Outcome::Refused(reason) = sent {
            context.output().hint(reason);
            return Ok(Exit::Failed);
        }
    }
    context.settle().await?;
    context.output().show(&client.view("totals", "all", None).await?)?;
    Ok(Exit::Done)
}

async fn run_own(words: &[&str]) -> Ran {
    let (console, captured) = Console::captured();
    let cli = cli(&Memory::new()).command("add-all", add_all);
    run_on(cli, words, console, &captured).await
}

#[tokio::test]
async fn an_app_has_commands_of_its_own() {
    let ran = run_own(&["add-all", "1", "2", "3", "--owner", "bob", "--json"]).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert_eq!(ran.out, "{\"tally\":\"all\",\"total\":6,\"owner\":\"bob\"}\n");
    let ran = run_own(&["add-all", "--help"]).await;
    assert!(ran.out.contains("Adds up some numbers"), "{ran:?}");
    let ran = run_own(&["--help"]).await;
    assert!(ran.out.contains("add-all"), "{ran:?}");
    let ran = run_own(&["add-all", "x"]).await;
    assert_eq!(ran.exit, Exit::Usage, "{ran:?}");
}

#[tokio::test]
async fn settling_waits_for_what_sagas_ask_for() {
    let ran = run_own(&["add-all", "1000", "1"]).await;
    assert_eq!(ran.exit, Exit::Failed, "the saga has written the tally off: {ran:?}");
    assert!(ran.err.contains("totals has no view \"all\""), "{ran:?}");
}

#[tokio::test]
async fn background_work_that_ends_is_a_failure_and_no_silence() {
    let (console, captured) = Console::captured();
    let never = |_, _: AddAll| async { std::future::pending().await };
    let cli = cli(&Memory::new()).background(|_| async {}).command("add-all", never);
    let ran = run_on(cli, &["add-all"], console, &captured).await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("what delivers events in the background has ended"), "{ran:?}");
}

#[tokio::test]
async fn a_run_that_is_given_up_takes_its_background_work_along() {
    let (begun, mut has_begun) = tokio::sync::mpsc::channel::<()>(1);
    let work = move |_| async move {
        begun.send(()).await.expect("the test listens");
        std::future::pending().await
    };
    let never = |_, _: AddAll| async { std::future::pending().await };
    let cli = cli(&Memory::new()).background(work).command("add-all", never);
    let run = tokio::spawn(cli.run_with(["probe", "add-all"], Console::captured().0));
    assert_eq!(has_begun.recv().await, Some(()));
    run.abort();
    assert_eq!(has_begun.recv().await, None, "what held the other end is gone");
}

#[tokio::test]
async fn a_client_of_nobody_is_unavailable() {
    let ran = run(&Memory::new(), "health --url http://127.0.0.1:1 --json").await;
    assert_eq!(ran.exit, Exit::Failed);
    let problem: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(problem["type"], format!("/problems/{}", ErrorKind::Unavailable.code()));
    assert!(problem["detail"].as_str().unwrap().contains("is the app running there?"));
    let ran = run_words(&Memory::new(), &["health", "--url", "http://127.0.0.1:1/"]).await;
    assert!(ran.err.contains("http://127.0.0.1:1/health"), "{ran:?}");
}
