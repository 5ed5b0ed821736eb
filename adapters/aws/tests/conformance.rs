//! The suite over a DynamoDB in this process: whole; in a storm; and with the feed scanned.

mod common;

use std::process::ExitCode;

use async_trait::async_trait;
use conformance::{Capability, Fixture, Host, run_all, suite, suite_of, suite_without};
use skyfold::Result;
use skyfold_aws::Feed;

use crate::common::{Place, Storm};

/// The variable that gives the storms another seed.
const SEED: &str = "STORM_SEED";

/// The variable that is `true` to leave nothing out: nine minutes of two cores.
const WHOLE: &str = "STORM_WHOLE";

/// What is left out in a storm, where each takes a minute of one core or more: above the ports core
/// does the same in any weather, and `storm.rs` and the portraits are of that.
const TOO_SLOW: [&str; 7] =
    ["commands", "deliveries", "keyed", "poison", "refusals", "replay", "verify"];

/// What reads the feed: all but `verify`, which takes minutes.
const OF_THE_FEED: [&str; 7] =
    ["event_feed", "health", "rehearsals", "replay", "revisions", "saga_operations", "sweep"];

/// Single cases that are left out there, since each alone takes longest of all: one reads the whole
/// log some hundred times, one has 6,400 views of as many streams.
const TOO_LONG: [&str; 2] = [
    "::a_full_batch_of_announcements_reaches_its_subscriber",
    "::a_replay_goes_on_after_a_crash_at_any_write",
];

/// The adapter with its feed read so.
struct OnAws(&'static str, Feed);

#[async_trait]
impl Fixture for OnAws {
    fn name(&self) -> &'static str {
        self.0
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        Ok(Box::new(Place::open(self.1).await?))
    }
}

/// The adapter in a storm, whose calls are made again until it is known what came of them. Every
/// place has the same storm, so that a case that fails does so when it is run alone.
struct InAStorm;

#[async_trait]
impl Fixture for InAStorm {
    fn name(&self) -> &'static str {
        "aws-storm"
    }

    fn lacks(&self) -> &[Capability] {
        &[]
    }

    async fn open(&self) -> Result<Box<dyn Host>> {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        Ok(Box::new(Place::open_steady_in(Feed::Index, &Storm::new(seed)).await?))
    }
}

fn main() -> ExitCode {
    let mut trials = suite(OnAws("aws", Feed::Index));
    let mut more = suite_of(OnAws("aws-scan", Feed::Scan), &OF_THE_FEED);
    if std::env::var(WHOLE).is_ok_and(|whole| whole == "true") {
        more.extend(suite(InAStorm));
    } else {
        more.extend(suite_without(InAStorm, &TOO_SLOW));
        more.retain(|trial| !TOO_LONG.iter().any(|name| trial.name().ends_with(name)));
    }
    trials.extend(more);
    run_all(trials)
}
