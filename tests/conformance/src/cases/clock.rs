//! What every clock promises, and that nothing above it believes more.

use std::time::Duration;

use time::UtcOffset;

use super::bank::{account, deposit, withdraw};
use super::{Case, World, cases};
use crate::domain::Balances;

pub(super) const CASES: &[Case] = cases![
    the_time_is_in_utc,
    a_sleep_lasts_as_long_as_asked_for,
    clocks_that_jump_leave_versions_decisions_and_views_as_they_are,
    times_do_not_fall_within_a_stream,
];

async fn the_time_is_in_utc(world: World) {
    assert_eq!(world.now().offset(), UtcOffset::UTC);
}

async fn a_sleep_lasts_as_long_as_asked_for(world: World) {
    for millis in [0, 1, 20, 300] {
        let (before, duration) = (world.now(), Duration::from_millis(millis));
        world.ports.clock.sleep(duration).await;
        let slept = world.now() - before;
        assert!(slept >= duration, "{slept} of {duration:?}");
    }
}

/// How many seconds the clock of each of three processes is wrong, command by command.
const SHIFTS: [i64; 7] = [0, 3600, -3600, -1, 1, 7200, -5400];

async fn clocks_that_jump_leave_versions_decisions_and_views_as_they_are(world: World) {
    let banks = [world.bank(), world.bank(), world.bank()];
    for round in 0..42_u64 {
        let nth = round as usize;
        let bank = &banks[nth % banks.len()];
        bank.clock.shift(time::Duration::seconds(SHIFTS[nth % SHIFTS.len()]));
        let id = skyfold::CommandId::fresh(bank.runtime.now());
        let receipt = bank.accept("1", id.as_str(), &deposit(3)).await;
        assert_eq!((receipt.version.0, receipt.replayed), (2 * round + 1, false));
        bank.clock.shift(time::Duration::seconds(-SHIFTS[nth % SHIFTS.len()]));
        let other = &banks[(nth + 1) % banks.len()];
        other.accept("1", &round.to_string(), &withdraw(2)).await;
        let again = other.accept("1", id.as_str(), &deposit(3)).await;
        assert_eq!((again.version, again.replayed), (receipt.version, true));
        bank.handle("balances", &world.news(&account("1")).await).await;
    }
    let view = banks[0].view::<Balances>("1").await.unwrap();
    assert_eq!((view.cents, view.applied), (42, (1..=84).collect()));
}

async fn times_do_not_fall_within_a_stream(world: World) {
    let bank = world.bank();
    for (nth, seconds) in SHIFTS.iter().chain(&SHIFTS).enumerate() {
        bank.clock.shift(time::Duration::seconds(*seconds));
        // Warm and cold, since each knows the time of the head from elsewhere.
        let bank = if nth % 2 == 0 { bank.clone() } else { world.bank() };
        bank.accept("1", &nth.to_string(), &deposit(1)).await;
    }
    let events = world.events(&account("1")).await;
    assert!(events.is_sorted_by_key(|event| event.time), "{events:?}");
    assert!(events.first().unwrap().time < events.last().unwrap().time);
}
