//! The checker is linear: it takes as long for each commit of a long history as of a short one.

use std::time::{Duration, Instant};

use skyfold::{StreamId, StreamName};

use crate::checker::check;
use crate::evidence::Evidence;
use crate::faults::Faults;
use crate::plan::{Ask, Plan, Size};
use crate::shop;
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trace::Tracing;

/// How many days of business the short history has, and how many times as many the long one.
const DAYS: u32 = 16;
const TIMES: u32 = 8;

/// How often each is checked at most: the quickest counts, since others use the machine as well.
const ROUNDS: usize = 40;

/// A day's work of the shop, again and again: new orders, and the same stock.
fn evidence(subject: &Subject, days: u32) -> Evidence {
    let plan = Plan::drawn(1, |rng, _| {
        let mut asks = vec![];
        for day in 0..days {
            for ask in (subject.asks)(rng, Size::Small) {
                let at = ask.at + Duration::from_secs(86_400) * day;
                asks.push(Ask { at, stream: of_day(&ask.stream, day), ..ask });
            }
        }
        asks
    });
    let plan = Plan { faults: Faults::none(), ..plan };
    let mut simulation = Simulation::new(subject, &plan, Tracing::Off);
    simulation.run();
    simulation.evidence()
}

fn of_day(stream: &StreamName, day: u32) -> StreamName {
    if stream.category() == "stock" {
        return stream.clone();
    }
    let id = StreamId::new(format!("{}.{day}", stream.id().as_str())).unwrap();
    StreamName::new(stream.category(), &id)
}

/// How long a check takes for each commit.
fn per_commit(subject: &Subject, evidence: &Evidence) -> f64 {
    let start = Instant::now();
    check(subject, evidence).unwrap();
    start.elapsed().as_secs_f64() / evidence.log.all.len() as f64
}

#[test]
fn a_history_eight_times_as_long_takes_about_eight_times_as_long_to_check() {
    let subject = shop::subject();
    let (short, long) = (evidence(&subject, DAYS), evidence(&subject, DAYS * TIMES));
    let times = long.log.all.len() as f64 / short.log.all.len() as f64;
    assert!(times > f64::from(TIMES) / 2.0, "the long history is {times} times as long");
    let longest = |evidence: &Evidence| evidence.log.streams.values().map(Vec::len).max();
    assert!(longest(&long) > longest(&short).map(|length| length * 4), "so are its streams");
    let (mut of_short, mut of_long) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        of_short = of_short.min(per_commit(&subject, &short));
        of_long = of_long.min(per_commit(&subject, &long));
        if of_long < of_short * 2.5 {
            return;
        }
    }
    panic!("{of_long} s for each commit of the long history, and {of_short} s of the short one");
}
