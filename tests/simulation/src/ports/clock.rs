use std::time::Duration;

use async_trait::async_trait;
use skyfold::ports::Clock;
use time::OffsetDateTime;

use crate::ports::gate::Gate;

/// The clock of one process, which differs from the true time by `skew`.
#[derive(Debug)]
pub(crate) struct NodeClock {
    pub(crate) skew: time::Duration,
    pub(crate) gate: Gate,
}

#[async_trait]
impl Clock for NodeClock {
    fn now(&self) -> OffsetDateTime {
        self.gate.world.lock().now + self.skew
    }

    async fn sleep(&self, duration: Duration) {
        self.gate.sleep(duration).await;
    }
}
