//! The suite over Microsoft's emulator of Cosmos DB.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host};
use skyfold::Result;

use crate::common::Place;
use crate::common::trials::missing;

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
        None => conformance::run(OnAzure),
        Some(_) if emulators::is_required() => ExitCode::FAILURE,
        Some(_) => ExitCode::SUCCESS,
    }
}
