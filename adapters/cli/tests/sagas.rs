//! What an operator sees of transactions, and does about them.

mod common;

use common::{memory_after, run};
use skyfold_cli::Exit;

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
