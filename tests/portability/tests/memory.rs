//! The invoices through the memory adapter: what other adapters are compared with.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use portability::{Document, Performance, Stage, Stored, Stream, invoices, perform};
use skyfold::ports::{FeedQuery, Listing};
use skyfold::{Ports, RecordedCommit, Result, Runtime};
use skyfold_memory::{Faults, Memory, VirtualClock};

/// How many of the real invoices are placed: with all of them, the test of the importer is busy.
const REAL_ORDERS: usize = 60;

struct InMemory(Memory);

#[async_trait]
impl Stage for InMemory {
    fn ports(&self) -> Ports {
        self.0.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.0.settle(runtime).await
    }

    async fn stored(&self) -> Result<Stored> {
        self.0.calm();
        let (feed, dump) = (self.0.ports().feed, self.0.dump()?);
        let mut streams = vec![];
        for slice in 0..feed.slices() {
            let mut from = None;
            loop {
                let page = feed.read(slice, &FeedQuery::default(), from.as_ref()).await?;
                collect(&mut streams, &page.commits);
                if page.is_tail {
                    break;
                }
                from = Some(page.next);
            }
        }
        let documents = dump.documents.into_iter().map(|document| {
            let place = |place: &skyfold_memory::DumpedListing| Listing {
                list: place.list,
                under: place.under.clone(),
                by: place.by.clone(),
            };
            Ok(Document {
                collection: document.collection,
                id: document.id,
                body: skyfold::Payload::encode(&document.body)?,
                listings: document.listings.iter().map(place).collect(),
            })
        });
        Ok(Stored { streams, documents: documents.collect::<Result<_>>()? })
    }
}

/// Adds the events of `commits`, which are in the order of their streams.
fn collect(streams: &mut Vec<Stream>, commits: &[RecordedCommit]) {
    for commit in commits {
        let name = commit.stream.to_string();
        let known = streams.iter_mut().find(|stream| stream.name == name);
        match known {
            Some(stream) => stream.events.extend(commit.events()),
            None => streams.push(Stream { name, events: commit.events().collect() }),
        }
    }
}

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
