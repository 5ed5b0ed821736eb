use std::num::NonZeroU32;
use std::time::Duration;

use time::OffsetDateTime;

use crate::ports::Clock;

/// Keeps work to so many events a second, by the ports' clock.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    clock: &'a dyn Clock,
    rate: Option<NonZeroU32>,
    /// When the latest events were begun.
    begun: OffsetDateTime,
}

impl<'a> Pace<'a> {
    /// At most `rate` events a second, or as many as there are.
    pub(crate) fn new(clock: &'a dyn Clock, rate: Option<NonZeroU32>) -> Self {
        Self { clock, rate, begun: clock.now() }
    }

    /// Waits until `events`, which were just handled, have taken the time that they may take.
    pub(crate) async fn keep(&mut self, events: u64) {
        let Some(rate) = self.rate else { return };
        let due = Duration::from_secs_f64(events as f64 / f64::from(rate.get()));
        // A clock that was set meanwhile says nothing of how long they took.
        let taken = Duration::try_from(self.clock.now() - self.begun).unwrap_or_default();
        if let Some(left) = due.checked_sub(taken).filter(|left| !left.is_zero()) {
            self.clock.sleep(left).await;
        }
        self.begun = self.clock.now();
    }
}
