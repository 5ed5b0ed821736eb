//! The suite over a DynamoDB in this process.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host};
use skyfold::Result;
use skyfold_aws::Feed;

use crate::common::Place;

/// The adapter with its feed read from an index.
struct Indexed;

#[async_trait]
impl Fixture for Indexed {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        Ok(Box::new(Place::open(Feed::Index).await?))
    }
}

fn main() -> ExitCode {
    conformance::run(Indexed)
}
