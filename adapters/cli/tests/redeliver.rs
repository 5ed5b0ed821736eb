//! `redeliver`: what the bus has lost or given up is delivered once more.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use common::{Tally, app, run, run_of};
use serde_json::json;
use skyfold::{App, Version};
use skyfold_cli::Exit;
use skyfold_memory::Memory;

/// Two tallies of which the bus has told nobody.
async fn untold() -> Memory {
    let memory = Memory::new();
    let deaf = || App::new("probe").decider::<Tally>();
    for (tally, amount) in [(1, 5), (1, 6), (2, 2000)] {
        let add = format!("send tally {tally} add {{\"amount\":{amount},\"owner\":\"ada\"}}");
        let sent = run_of(deaf(), &memory, &add).await;
        assert_eq!(sent.exit, Exit::Done, "{sent:?}");
    }
    memory.settle(&deaf().bind(memory.ports()).unwrap()).await.unwrap();
    memory
}

async fn total(memory: &Memory, tally: u32) -> Option<u64> {
    let view = run(memory, &format!("view totals {tally} --json")).await;
    (view.exit == Exit::Done).then(|| view.json()[0]["total"].as_u64().unwrap())
}

#[tokio::test]
async fn a_view_and_a_saga_hear_what_nobody_told_them_and_nothing_twice() {
    let memory = untold().await;
    assert_eq!((total(&memory, 1).await, total(&memory, 2).await), (None, None));
    for _ in 0..2 {
        let told = run(&memory, "redeliver totals --json").await;
        assert_eq!(told.exit, Exit::Done, "{told:?}");
        assert_eq!(
            (&told.json()[0]["events"], &told.json()[0]["name"]),
            (&json!(3), &json!("totals"))
        );
        assert_eq!((total(&memory, 1).await, total(&memory, 2).await), (Some(11), Some(2000)));
    }
    // The saga, which writes off what is too large, heard nothing of it either.
    assert_eq!(run(&memory, "redeliver limit").await.exit, Exit::Done);
    memory.settle(&app().bind(memory.ports()).unwrap()).await.unwrap();
    assert_eq!((total(&memory, 1).await, total(&memory, 2).await), (Some(11), None));
}

#[tokio::test]
async fn what_cannot_be_read_keeps_back_its_stream_alone() {
    let memory = untold().await;
    memory.spoil(&"tally-1".parse().unwrap(), Version(2)).unwrap();
    let told = run(&memory, "redeliver totals").await;
    assert_eq!(told.exit, Exit::Done, "{told:?}");
    assert!(told.out.starts_with("3 events to totals in "), "{told:?}");
    assert_eq!((total(&memory, 1).await, total(&memory, 2).await), (Some(5), Some(2000)));
    let letters = run(&memory, "dead-letters list --json").await;
    assert_eq!(letters.json().len(), 1, "{letters:?}");
}

#[tokio::test]
async fn it_is_said_what_can_be_delivered_and_from_where() {
    let memory = untold().await;
    for (line, says) in [
        ("redeliver nothing", "no projection or saga nothing"),
        ("redeliver totals --category order", "totals hears no category \"order\""),
        ("redeliver totals --url http://127.0.0.1:1", "the stores themselves"),
        ("redeliver totals --since yesterday", "2010-12-01"),
    ] {
        let ran = run(&memory, line).await;
        assert!(ran.exit != Exit::Done && ran.err.contains(says), "{line}: {ran:?}");
    }
    let later = run(&memory, "redeliver totals --since 2999-01-01").await;
    assert!(later.out.starts_with("0 events"), "{later:?}");
}
