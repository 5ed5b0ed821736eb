use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use skyfold::ports::Clock;
use time::OffsetDateTime;

/// A clock that goes wrong by as much as it is told, and whose sleeps take no time: it jumps to
/// their end instead.
#[derive(Debug)]
pub struct Shifted {
    inner: Arc<dyn Clock>,
    by: Mutex<time::Duration>,
}

impl Shifted {
    /// A clock that tells the same time as `inner`, until somebody sleeps.
    pub fn new(inner: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { inner, by: Mutex::new(time::Duration::ZERO) })
    }

    /// Moves the clock, forwards or backwards.
    pub fn shift(&self, by: time::Duration) {
        *self.lock() += by;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, time::Duration> {
        self.by.lock().expect("nothing panics while it holds the time")
    }
}

#[async_trait]
impl Clock for Shifted {
    fn now(&self) -> OffsetDateTime {
        self.inner.now() + *self.lock()
    }

    async fn sleep(&self, duration: Duration) {
        self.shift(duration.try_into().expect("nobody sleeps for an age of the universe"));
        // Whatever else can run may do so meanwhile.
        tokio::task::yield_now().await;
    }
}
