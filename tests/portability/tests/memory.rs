//! The invoices through the memory adapter: what other adapters are compared with.

use std::fs;
use std::path::{Path, PathBuf};

use portability::{InMemory, Performance, invoices, perform};
use skyfold_memory::{Faults, Memory, VirtualClock};

/// How many of the real invoices are placed: with all of them, the test of the importer is busy.
const REAL_ORDERS: usize = 60;

async fn performance(memory: Memory, file: &str, limit: usize) -> Performance {
    perform(&InMemory(memory), file, limit).await.expect("the invoices are placed")
}

fn plain() -> Memory {
    Memory::with_clock(VirtualClock::new())
}

/// Where performances are kept, for adapters that are compared in a run of their own.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[tokio::test]
async fn generated_invoices_come_to_what_was_agreed() {
    let performed = performance(plain(), &invoices(), usize::MAX).await;
    assert!(performed.transcript.len() > 300, "{}", performed.transcript.len());
    assert!(performed.transcript.iter().any(|line| line.starts_with("return")));
    let refused = performed.transcript.iter().filter(|line| line.contains("refused"));
    assert_eq!(refused.collect::<Vec<_>>(), Vec::<&String>::new());

    let text = serde_json::to_string_pretty(&performed).unwrap();
    fs::write(kept("generated.json"), &text).unwrap();
    let agreed = Path::new(env!("CARGO_MANIFEST_DIR")).join("agreed/transcript.txt");
    let transcript = performed.transcript.join("\n") + "\n";
    if std::env::var_os("AGREE").is_some() {
        fs::create_dir_all(agreed.parent().unwrap()).unwrap();
        fs::write(&agreed, &transcript).unwrap();
    }
    let expected = fs::read_to_string(&agreed).unwrap();
    assert!(transcript == expected, "the transcript has changed: compare it after AGREE=1");
}

#[tokio::test]
async fn faults_change_nothing_that_is_answered_or_shown() {
    let calm = performance(plain(), &invoices(), 12).await;
    for seed in 0..3 {
        let faulty = Memory::with_faults(Faults::heavy(seed), VirtualClock::new());
        let stormy = performance(faulty, &invoices(), 12).await;
        assert_eq!(stormy.transcript, calm.transcript, "seed {seed}");
        // What is recorded may differ: a queue may bring a refund before the capture.
        assert_eq!(stormy.views, calm.views, "seed {seed}");
    }
}

#[tokio::test]
async fn real_invoices_come_to_the_same_each_time() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/online-retail-2010-12.csv");
    let Ok(real) = fs::read_to_string(&file) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", file.display());
        eprintln!("ignored: {} is not here", file.display());
        return;
    };
    let first = performance(plain(), &real, REAL_ORDERS).await;
    let second = performance(plain(), &real, REAL_ORDERS).await;
    assert_eq!(first, second);
    fs::write(kept("real.json"), serde_json::to_string(&first).unwrap()).unwrap();
}
