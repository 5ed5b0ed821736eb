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

    /// How long `events`, which were just handled, may still take.
    pub(crate) fn rest(&self, events: u64) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let due = Duration::from_secs_f64(events as f64 / f64::from(rate.get()));
        // A clock that was set meanwhile says nothing of how long they took.
        let taken = Duration::try_from(self.clock.now() - self.begun).unwrap_or_default();
        due.saturating_sub(taken)
    }

    /// Waits until `events`, which were just handled, have taken the time that they may take.
    pub(crate) async fn keep(&mut self, events: u64) {
        if self.rate.is_none() {
            return;
        }
        let rest = self.rest(events);
        if !rest.is_zero() {
            self.clock.sleep(rest).await;
        }
        self.begun = self.clock.now();
    }
}
