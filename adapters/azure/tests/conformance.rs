//! The suite over Microsoft's emulator of Cosmos DB, and the cases of the ports in a storm.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host, run_all, suite, suite_of};
use skyfold::Result;

use crate::common::Place;
use crate::common::trials::missing;

/// The variable that gives the storm another seed.
const SEED: &str = "STORM_SEED";

/// The groups of cases that are about the ports alone.
const OF_THE_PORTS: [&str; 9] = [
    "document_lists",
    "document_scans",
    "documents",
    "event_feed",
    "event_store",
    "key_store",
    "limits",
    "publisher_queue",
    "snapshots",
];

/// The adapter.
struct OnAzure;

#[async_trait]
impl Fixture for OnAzure {
    fn name(&self) -> &'static str {
        "azure"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        Ok(Box::new(Place::open().await?))
    }
}

/// The adapter in a storm, whose calls are made again until it is known what came of them. Every
/// place has the same storm, so that a case that fails does so when it is run alone.
struct InAStorm;

#[async_trait]
impl Fixture for InAStorm {
    fn name(&self) -> &'static str {
        "azure-storm"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        Ok(Box::new(Place::open_steady_in(seed).await?))
    }
}

fn main() -> ExitCode {
    match missing() {
        None => {
            let mut trials = suite(OnAzure);
            trials.extend(suite_of(InAStorm, &OF_THE_PORTS));
            run_all(trials)
        }
        Some(_) if emulators::is_required() => ExitCode::FAILURE,
        Some(_) => ExitCode::SUCCESS,
    }
}
