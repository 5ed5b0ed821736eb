use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::letters::{Among, Letters};
use crate::limits::PAGE_ITEMS_MAX;
use crate::operations::unbuilt::{Unbuilt, unbuilt};
use crate::ports::Order;
use crate::{EventId, Result, Runtime};

/// How many of the newest commits health looks for in the views.
const HEALTH_COMMITS_MAX: usize = 16;

/// How long a consumer may take with a commit before it counts as behind.
const HEALTH_LAG_MAX: Duration = Duration::from_secs(60);

/// How far one consumer is behind the head of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    /// The projection or saga.
    pub consumer: String,
    /// How many of the newest commits it has not handled, those of streams aside that wait behind
    /// a dead letter.
    pub behind: usize,
    /// For how many seconds the oldest of those has waited.
    pub seconds: u64,
}

/// How many dead letters wait for an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterCount {
    /// How many were counted.
    pub total: usize,
    /// Whether there are more: at most 100 of each function are counted.
    pub is_more: bool,
    /// For how many seconds the oldest of all has waited; 0 without any.
    #[serde(default)]
    pub oldest_seconds: u64,
    /// How many of each function that has any.
    pub functions: BTreeMap<String, usize>,
}

/// The app's health, compared with the head of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Whether every consumer has kept up. Dead letters do not change it: they stop one stream
    /// each, which restarting or replacing an instance would not help.
    pub healthy: bool,
    /// The newest event of the store.
    pub head: Option<EventId>,
    /// How many of the newest commits were looked for.
    pub commits: usize,
    /// How far each consumer is behind.
    pub consumers: Vec<Lag>,
    /// What waits for an operator: with any, the app is healthy but degraded.
    #[serde(default)]
    pub dead_letters: LetterCount,
    /// Revisions of read models that were listed late and never built. They do not change whether
    /// the app is healthy either: an operator replays them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unbuilt: Vec<Unbuilt>,
}

/// Compares every projection and saga with the newest commits of the store, and counts the dead
/// letters.
pub(crate) async fn health(runtime: &Runtime) -> Result<Health> {
    let context = runtime.context();
    let commits = context.ports.feed.latest(HEALTH_COMMITS_MAX).await?;
    let now = context.ports.clock.now();
    let mut consumers = vec![];
    for (name, function) in runtime.app().functions() {
        let Some(consumer) = function.consumer() else { continue };
        let mut lag = Lag { consumer: name.clone(), behind: 0, seconds: 0 };
        for commit in commits.iter().filter(|commit| consumer.hears(commit.stream.category())) {
            let standing = consumer.standing(context, &commit.stream).await?;
            if standing.reached < commit.last() && !standing.is_waiting {
                let waited = (now - commit.commit.time()).whole_seconds();
                lag.behind += 1;
                lag.seconds = lag.seconds.max(waited.max(0).unsigned_abs());
            }
        }
        consumers.push(lag);
    }
    let is_late = |lag: &Lag| lag.behind > 0 && lag.seconds > HEALTH_LAG_MAX.as_secs();
    let head = commits.first();
    Ok(Health {
        healthy: !consumers.iter().any(is_late),
        head: head.map(|c| EventId { stream: c.stream.clone(), version: c.last() }),
        commits: commits.len(),
        consumers,
        dead_letters: count(runtime).await?,
        unbuilt: unbuilt(runtime).await?,
    })
}

/// Counts what waits: in one page, unless there is more, and then function by function.
async fn count(runtime: &Runtime) -> Result<LetterCount> {
    let letters = Letters(&*runtime.ports().documents);
    let page = letters.page(Among::Waiting, Order::Ascending, PAGE_ITEMS_MAX, None).await?;
    let mut count = LetterCount::default();
    if let Some(oldest) = page.letters.first() {
        let waited = (runtime.now() - oldest.first).whole_seconds();
        count.oldest_seconds = waited.max(0).unsigned_abs();
    }
    let functions = runtime.app().functions();
    let is_whole = page.next.is_none();
    for letter in page.letters {
        // Of more than a page, those are left that no function of this release would list.
        if is_whole || !functions.contains_key(&letter.function) {
            count.is_more |= !is_whole;
            *count.functions.entry(letter.function).or_default() += 1;
        }
    }
    for name in functions.keys().filter(|_| !is_whole) {
        let among = Among::Function(name);
        let page = letters.page(among, Order::Ascending, PAGE_ITEMS_MAX, None).await?;
        count.is_more |= page.next.is_some();
        if !page.letters.is_empty() {
            count.functions.insert(name.clone(), page.letters.len());
        }
    }
    count.total = count.functions.values().sum();
    Ok(count)
}
