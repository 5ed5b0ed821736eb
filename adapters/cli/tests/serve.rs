//! `serve`, and everything that is asked of what it serves with `--url`.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use std::net::TcpListener;
use std::time::Duration;

use common::{PATIENCE, Ran, Served, app, cli, run_on, run_words, until};
use serde_json::json;
use skyfold::{AsOf, CommandId, ErrorKind, Payload, StreamId};
use skyfold_cli::{Client, Console, Context, Exit, Outcome};
use skyfold_memory::Memory;

#[tokio::test]
async fn no_command_means_serve_until_stopped() {
    let served = Served::begin(cli(&Memory::new()), &["--port", "0"]).await;
    let health = served.run(&["health"]).await;
    assert!(health.out.starts_with("healthy; head: nothing is recorded yet"), "{health:?}");
    let url = served.url.clone();
    let ran = served.end().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""), "{ran:?}");
    for line in [
        format!("probe answers at {url}"),
        format!("  openapi  {url}/openapi.json"),
        format!("  health   {url}/health"),
        "stopped".into(),
    ] {
        assert!(ran.out.lines().any(|shown| shown == line), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn sample_data_and_lines_to_try_come_with_the_real_address() {
    let cli = cli(&Memory::new())
        .on_start(|context| async move {
            let fields = Payload::encode(&json!({ "amount": 5, "owner": "ada" }))?;
            let (client, id) = (context.client(), StreamId::new("1")?);
            let command = client.command("tally", "add", Some(&fields))?;
            client.send("tally", &id, CommandId::new("c")?, command).await?;
            context.settle().await?;
            context.output().say(format_args!("1 tally at {}", context.base_url().unwrap()))
        })
        .try_lines(["curl {url}/totals/1", "curl {url}/tally/1 # again {url}"]);
    let served = Served::begin(cli, &["serve", "--port", "0"]).await;
    until(|| served.captured.out().contains("# again")).await;
    let (out, url) = (served.captured.out(), &served.url);
    assert!(out.contains(&format!("1 tally at {url}\n")), "{out}");
    assert!(
        out.contains(&format!("try\n  curl {url}/totals/1\n  curl {url}/tally/1 # again {url}\n")),
        "{out}"
    );
    let view = served.run(&["view", "totals", "1", "--json"]).await;
    assert_eq!(view.json()[0]["total"], 5);
    served.end().await;
}

#[tokio::test]
async fn a_start_that_fails_ends_the_server() {
    let fail = |_| async { Err(skyfold::Error::new(ErrorKind::Corrupt, "no sample data")) };
    let (console, captured) = Console::captured();
    let cli = cli(&Memory::new()).on_start(fail);
    let ran = run_on(cli, &["serve", "--port", "0"], console, &captured).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Failed, "error: no sample data\n"));
}

#[tokio::test]
async fn machines_are_told_the_addresses_as_json() {
    let (console, captured) = Console::captured();
    captured.stop();
    let words = ["serve", "--port", "0", "--json"];
    let ran = run_on(cli(&Memory::new()).try_lines(["x"]), &words, console, &captured).await;
    let address = &ran.json()[0];
    assert_eq!(ran.json().len(), 1);
    let url = address["url"].as_str().unwrap();
    assert_eq!(address["health"], format!("{url}/health"));
}

#[tokio::test]
async fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = run_words(&Memory::new(), &["serve", "--port", &port]).await;
    assert_eq!(ran.exit, Exit::Failed);
    let expected = format!("port {port} of 127.0.0.1 is taken: name another with --port");
    assert!(ran.err.contains(&expected), "{ran:?}");
}

#[tokio::test]
async fn without_a_wish_the_next_free_port_is_taken() {
    let first = Served::begin(cli(&Memory::new()), &["--host", "127.0.0.1"]).await;
    let second = Served::begin(cli(&Memory::new()), &[]).await;
    let port = |served: &Served| served.url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let (one, other) = (port(&first), port(&second));
    assert!((8080..8180).contains(&one) && one < other && other < 8180, "{one} {other}");
    let ran = second.end().await;
    assert!(ran.err.contains(&format!("port 8080 is taken, so this is {other}")), "{ran:?}");
    first.end().await;
}

#[tokio::test]
async fn operators_are_served_on_loopback_and_where_it_is_said() {
    let of = ["serve", "--port", "0"];
    for (words, status) in [
        (&[][..], 200),
        (&["--host", "0.0.0.0"], 404),
        (&["--host", "0.0.0.0", "--operations"], 200),
    ] {
        let served = Served::begin(cli(&Memory::new()), &[&of, words].concat()).await;
        let url = format!("{}/metrics", served.url);
        let answer = tokio::task::spawn_blocking(move || match ureq::get(&url).call() {
            Ok(answer) => answer.status().as_u16(),
            Err(ureq::Error::StatusCode(status)) => status,
            Err(error) => panic!("{error}"),
        });
        assert_eq!(answer.await.unwrap(), status, "{words:?}");
        served.end().await;
    }
}

#[tokio::test]
async fn a_running_app_is_asked_in_the_same_words() {
    let memory = Memory::new();
    let served = Served::begin(cli(&memory), &["serve", "--port", "0"]).await;
    let add =
        ["send", "tally", "a:1@x", "add", r#"{"amount":5,"owner":"a/b ü?"}"#, "--id", "k\"1\\"];
    let sent = served.run(&add).await;
    assert_eq!(sent.out, "accepted: tally-a:1@x is at version 1\ntally-a:1@x@1\n", "{sent:?}");
    let again = served.run(&add).await;
    assert!(again.out.starts_with("accepted before: "), "{again:?}");

    for words in [
        &["view", "totals", "a:1@x", "--after", "tally-a:1@x@1"][..],
        &["list", "totals", "by-owner", "a/b ü?", "--order", "descending"],
        &["query", "owned", "owner=a/b ü?", "--after", "tally-a:1@x@1"],
        &["state", "tally-a:1@x"],
        &["state", "tally-a:1@x", "--at", "1", "--json"],
        &["state", "tally-a:1@x", "--at", "2999-01-01", "--json"],
        &["state", "tally-a:1@x", "--at", "2001-01-01", "--json"],
        &["state", "tally-a:1@x", "--at", "9", "--json"],
        &["state", "tally-9", "--json"],
        &["view", "totals", "../..", "--json"],
        &["view", "totals", "9", "--json"],
        &["list", "totals", "by-owner", "ada", "--cursor", "stale", "--json"],
        &["list", "totals", "by-name", "ada", "--json"],
        &["query", "owned", "limit=1", "--json"],
        &["send", "tally", "1", "add", r#"{"amount":0,"owner":"x"}"#],
        &["send", "tally", "1", "add", r#"{"amount":-1,"owner":"x"}"#, "--json"],
        &["send", "tally", "a:1@x", "write-off", "--id", "k\"1\\", "--json"],
        &["send", "tally", "a:1@x", "write-off", "--expect", "7", "--json"],
        &["manifest"],
        &["health"],
    ] {
        let there = served.run(words).await;
        let quiet = [words, &["--quiet"]].concat();
        let here = run_words(&memory, &quiet).await;
        assert_eq!((there.exit, &there.out), (here.exit, &here.out), "{words:?}");
        let problem = |ran: &Ran| {
            let problem = serde_json::from_str::<serde_json::Value>(&ran.err);
            problem.map(|problem| problem["type"].clone()).ok()
        };
        assert_eq!(problem(&there), problem(&here), "{words:?}: {there:?} {here:?}");
    }
    served.end().await;
}

#[tokio::test]
async fn a_refusal_is_the_same_outcome_over_http() {
    let served = Served::begin(cli(&Memory::new()), &["serve", "--port", "0"]).await;
    let client = Client::http(&format!("{}/", served.url), app().manifest()).unwrap();
    let (id, write_off) = (StreamId::new("1").unwrap(), Payload::encode("WriteOff").unwrap());
    let key = |text: &str| CommandId::new(text).unwrap();
    let first = client.send("tally", &id, key("1"), write_off.clone()).await.unwrap();
    assert!(matches!(&first, Outcome::Accepted(receipt) if !receipt.replayed), "{first:?}");
    let second = client.send("tally", &id, key("2"), write_off).await.unwrap();
    assert_eq!(second, Outcome::Refused("the tally is written off".into()));

    let unknown = Payload::parse(r#"{"Remove":{}}"#).unwrap();
    let error = client.send("tally", &id, key("3"), unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for nonsense in ["3", "{}", r#"{"Add":{},"WriteOff":{}}"#] {
        let nonsense = Payload::parse(nonsense).unwrap();
        let error = client.send("tally", &id, key("4"), nonsense).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    served.end().await;
}

#[tokio::test]
async fn a_view_that_does_not_show_the_event_in_time_is_unavailable() {
    let memory = Memory::new();
    // Nothing delivers here.
    let bare = skyfold_cli::Cli::new(app(), memory.ports());
    let served = Served::begin(bare, &["serve", "--port", "0"]).await;
    let client = Client::http(&served.url, app().manifest()).unwrap();
    served.run(&["send", "tally", "1", "write-off"]).await;
    let (event, wait) = ("tally-1@1".parse().unwrap(), Duration::from_millis(20));
    let after = Some(skyfold::After { event, wait });
    let there = client.view("totals", "1", after.clone()).await.unwrap_err();
    let here = Client::new(app().bind(memory.ports()).unwrap());
    let here = here.view("totals", "1", after).await.unwrap_err();
    assert_eq!((there.kind(), there.message()), (here.kind(), here.message()));
    assert_eq!(there.kind(), ErrorKind::Unavailable);
    assert_eq!(there.message(), "the views do not show tally-1@1 yet: ask again");
    served.end().await;
}

/// Adds too much, and waits for what comes of it.
async fn overdo(context: Context, _: Nothing) -> skyfold::Result<Exit> {
    let (client, id) = (context.client(), StreamId::new("1")?);
    let fields = Payload::encode(&json!({ "amount": 2_000, "owner": "ada" }))?;
    let command = client.command("tally", "add", Some(&fields))?;
    client.send("tally", &id, CommandId::new("c")?, command).await?;
    context.settle().await?;
    context.output().show(&client.state(&"tally-1".parse()?, AsOf::Now).await?.state)?;
    Ok(Exit::Done)
}

#[derive(clap::Args)]
struct Nothing {}

#[tokio::test]
async fn an_app_that_runs_elsewhere_is_waited_for_as_well() {
    let served = Served::begin(cli(&Memory::new()), &["serve", "--port", "0"]).await;
    let (console, captured) = Console::captured();
    let words = ["overdo", "--url", &served.url, "--json"];
    let overdo = cli(&Memory::new()).command("overdo", overdo);
    let ran = run_on(overdo, &words, console, &captured).await;
    assert_eq!(ran.json()[0], json!({ "total": 2_000, "is_written_off": true }), "{ran:?}");
    served.end().await;
}

#[tokio::test]
async fn a_tail_follows_what_is_recorded_meanwhile() {
    let memory = Memory::new();
    let (console, captured) = Console::captured();
    let words = ["probe", "events", "tail", "--follow", "--json", "--category", "tally"];
    let tail = tokio::spawn(cli(&memory).run_with(words, console));
    for n in 1..=3 {
        let key = format!("k{n}");
        let add = r#"{"amount":1,"owner":"ada"}"#;
        run_words(&memory, &["send", "tally", "1", "add", add, "--id", &key]).await;
        let id = format!("tally-1@{n}");
        until(|| captured.out().contains(&id)).await;
    }
    captured.stop();
    assert_eq!(tokio::time::timeout(PATIENCE, tail).await.unwrap().unwrap(), Exit::Done);
    assert_eq!(captured.out().lines().count(), 3, "each once: {}", captured.out());
}
