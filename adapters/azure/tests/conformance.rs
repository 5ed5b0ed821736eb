//! The suite over Microsoft's emulator of Cosmos DB: what the ports promise, and with
//! `CONFORMANCE_WHOLE` set also what core makes of it, which takes the emulator most of an hour.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host, run_all, suite, suite_of};
use skyfold::Result;

use crate::common::Place;
use crate::common::trials::missing;

/// The variable that has the whole suite run.
const WHOLE: &str = "CONFORMANCE_WHOLE";

/// What the ports promise.
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

fn main() -> ExitCode {
    match missing() {
        None if std::env::var_os(WHOLE).is_some() => run_all(suite(OnAzure)),
        None => {
            println!("the cases of the ports alone: {WHOLE}=1 has the others run as well");
            run_all(suite_of(OnAzure, &OF_THE_PORTS))
        }
        Some(_) if emulators::is_required() => ExitCode::FAILURE,
        Some(_) => ExitCode::SUCCESS,
    }
}
