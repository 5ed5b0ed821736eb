use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use skyfold::ports::Clock;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::sync::watch;

/// How long the host waits for a time of day before it looks at the clock again, which may have
/// been set meanwhile.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A clock that stands still until somebody advances it or sleeps.
///
/// A sleep moves the clock on to its end, unless another has moved it further meanwhile: as in
/// every discrete simulation, whoever sleeps is taken to have nothing to wait for but the time.
/// So a function that waits before it tries again does so at once and in no time, a run of one
/// thread never stands still, and takes the same times whenever it is repeated. Sleeps side by
/// side overlap, as they do by a real clock.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    now: Mutex<OffsetDateTime>,
    /// Says that the time has changed.
    changed: watch::Sender<()>,
}

impl VirtualClock {
    /// Where a clock stands that was told no time.
    pub const START: OffsetDateTime = datetime!(2010-12-01 08:00 UTC);

    /// A clock at [`START`](Self::START).
    pub fn new() -> Self {
        Self::starting_at(Self::START)
    }

    /// A clock at `start`.
    pub fn starting_at(start: OffsetDateTime) -> Self {
        Self(Arc::new(Inner { now: Mutex::new(start), changed: watch::Sender::new(()) }))
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.lock();
        *now = later(*now, duration);
        drop(now);
        self.0.changed.send_replace(());
    }

    /// Lets time pass until it is `then`, unless it is later already.
    pub fn advance_to(&self, then: OffsetDateTime) {
        let mut now = self.lock();
        *now = then.max(*now);
        drop(now);
        self.0.changed.send_replace(());
    }

    async fn reached(&self, then: OffsetDateTime) {
        let mut changed = self.0.changed.subscribe();
        while self.now() < then {
            changed.changed().await.expect("this clock holds the sender");
        }
    }

    fn lock(&self) -> MutexGuard<'_, OffsetDateTime> {
        self.0.now.lock().expect("nothing panics while it holds the time")
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> OffsetDateTime {
        *self.lock()
    }

    async fn sleep(&self, duration: Duration) {
        let end = later(self.now(), duration);
        // Whatever else can run does so at the old time.
        tokio::task::yield_now().await;
        self.advance_to(end);
    }
}

/// The time `duration` after `time`, or the last there is.
pub(crate) fn later(time: OffsetDateTime, duration: Duration) -> OffsetDateTime {
    time.saturating_add(duration.try_into().unwrap_or(time::Duration::MAX))
}

/// The time that everything in one process goes by.
#[derive(Clone, Debug)]
pub(crate) enum Time {
    /// The machine's.
    System,
    /// A test's.
    Virtual(VirtualClock),
}

impl Time {
    /// Waits until it is `then`, and never moves the time on by itself: what is due later is
    /// nothing to be done now.
    pub(crate) async fn reached(&self, then: OffsetDateTime) {
        match self {
            Self::Virtual(clock) => clock.reached(then).await,
            Self::System => {
                while let Ok(left) = Duration::try_from(then - self.now())
                    && !left.is_zero()
                {
                    tokio::time::sleep(left.min(WAIT_MAX)).await;
                }
            }
        }
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Virtual(clock) => clock.now(),
        }
    }

    async fn sleep(&self, duration: Duration) {
        match self {
            Self::System => tokio::time::sleep(duration).await,
            Self::Virtual(clock) => clock.sleep(duration).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_virtual_clock_stands_still_until_it_is_advanced() {
        let clock = VirtualClock::new();
        assert_eq!(clock.now(), VirtualClock::START);
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.now(), datetime!(2010-12-01 08:01 UTC));
        clock.advance_to(VirtualClock::START);
        assert_eq!(clock.now(), datetime!(2010-12-01 08:01 UTC), "it never goes back");
    }

    #[tokio::test]
    async fn sleeps_side_by_side_overlap() {
        let clock = VirtualClock::new();
        let (long, short) = (Duration::from_secs(5), Duration::from_secs(3));
        tokio::join!(clock.sleep(long), clock.sleep(short));
        assert_eq!(clock.now(), VirtualClock::START + long);
    }

    #[tokio::test]
    async fn time_ends_and_does_not_overflow() {
        let clock = VirtualClock::new();
        clock.sleep(Duration::MAX).await;
        clock.advance(Duration::MAX);
        assert_eq!(clock.now().year(), 9999);
    }

    #[tokio::test]
    async fn waiting_for_a_time_does_not_bring_it_about() {
        let clock = VirtualClock::new();
        let due = VirtualClock::START + Duration::from_secs(10);
        let waiting = tokio::spawn({
            let time = Time::Virtual(clock.clone());
            async move { time.reached(due).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Duration::from_secs(1));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_sleep_by_the_system_clock_ends_no_earlier_than_asked_for() {
        let (before, duration) = (std::time::Instant::now(), Duration::from_millis(3));
        Time::System.sleep(duration).await;
        assert!(before.elapsed() >= duration);
    }
}
