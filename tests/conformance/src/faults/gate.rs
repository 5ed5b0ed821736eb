use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{Fault, Request, Tap};

/// Holds one request until it is released, so that a test decides which of two is first.
pub struct Gate {
    applies: fn(&Request<'_>) -> bool,
    /// How many requests pass before one is held.
    before: AtomicUsize,
    arrived: Semaphore,
    released: Semaphore,
}

impl Gate {
    /// Holds the first request that `applies` picks. Those that follow it pass.
    pub fn first(applies: fn(&Request<'_>) -> bool) -> Arc<Self> {
        Self::nth(0, applies)
    }

    /// Holds the request number `nth`, from 0, of those that `applies` picks.
    pub fn nth(nth: usize, applies: fn(&Request<'_>) -> bool) -> Arc<Self> {
        let (arrived, released) = (Semaphore::new(0), Semaphore::new(0));
        Arc::new(Self { applies, before: AtomicUsize::new(nth), arrived, released })
    }

    /// Waits until the request is held.
    pub async fn arrived(&self) {
        let permit = self.arrived.acquire().await.expect("it is never closed");
        permit.forget();
    }

    /// Lets the request go on.
    pub fn release(&self) {
        self.released.add_permits(1);
    }
}

#[async_trait]
impl Tap for Gate {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        if (self.applies)(&request) && self.before.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.arrived.add_permits(1);
            let permit = self.released.acquire().await.expect("it is never closed");
            permit.forget();
        }
        None
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("before", &self.before).finish_non_exhaustive()
    }
}
