//! The suite over Microsoft's emulator of Cosmos DB.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host};
use skyfold::Result;

use crate::common::Place;
use crate::common::trials::{Emulator, emulator};

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
    match emulator() {
        Emulator::Ready => conformance::run(OnAzure),
        Emulator::Missing if emulators::is_required() => ExitCode::FAILURE,
        Emulator::Missing | Emulator::Unwanted => ExitCode::SUCCESS,
    }
}
