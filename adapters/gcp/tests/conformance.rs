//! The suite over Google's emulator of Firestore.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host};
use emulators::GoogleEmulator;
use skyfold::Result;

use crate::common::Place;
use crate::common::trials::missing;

/// The adapter.
struct OnGcp;

#[async_trait]
impl Fixture for OnGcp {
    fn name(&self) -> &'static str {
        "gcp"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        Ok(Box::new(Place::open().await?))
    }
}

fn main() -> ExitCode {
    match missing(&[GoogleEmulator::Firestore]) {
        None => conformance::run(OnGcp),
        Some(_) if emulators::is_required() => ExitCode::FAILURE,
        Some(_) => ExitCode::SUCCESS,
    }
}
