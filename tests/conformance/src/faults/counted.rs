use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Fault, Request, Tap};

/// How often something was asked of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// In how many calls.
    pub requests: usize,
    /// With how many items in all: more than the calls where they were batches.
    pub items: usize,
}

/// Counts requests by kind, and fails none.
#[derive(Debug, Default)]
pub struct Counted(Mutex<BTreeMap<&'static str, Count>>);

impl Counted {
    /// A tap that has counted nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What was counted since the last time.
    pub fn take(&self) -> BTreeMap<&'static str, Count> {
        std::mem::take(&mut *self.lock())
    }

    /// How many calls of each kind were counted since the last time.
    pub fn requests(&self) -> Vec<(&'static str, usize)> {
        self.take().into_iter().map(|(kind, count)| (kind, count.requests)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Count>> {
        self.0.lock().expect("nothing panics while it holds the counts")
    }
}

#[async_trait]
impl Tap for Counted {
    async fn meet(&self, request: Request<'_>, nth: usize) -> Option<Fault> {
        let mut counts = self.lock();
        let count = counts.entry(request.kind()).or_default();
        count.requests += usize::from(nth == 0);
        count.items += 1;
        None
    }
}
