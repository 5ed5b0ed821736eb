//! The local host over a small domain.

use std::time::Duration;

use skyfold::Reply;
use skyfold_memory::{Memory, VirtualClock};

use crate::domain::{REMINDER, add, app, assert_consistent, send};

#[tokio::test]
async fn everything_that_follows_from_a_command_happens_once() {
    let memory = Memory::with_clock(VirtualClock::new());
    let runtime = app().bind(memory.ports()).unwrap();
    for nth in 0..40 {
        let counter = format!("c{}", nth % 3);
        let account = format!("a{}", nth % 4);
        let reply = send(&runtime, add(nth, &counter, nth % 5, &account)).await;
        assert!(matches!(reply, Reply::Accepted(_)) == (nth % 5 > 0), "{reply:?}");
    }
    memory.settle_through_time(&runtime, 10 * REMINDER).await.unwrap();
    assert_consistent(&memory.dump().unwrap());
    assert!(memory.pending().is_settled());
    assert_eq!(memory.dead_letters(), []);
}

#[tokio::test]
async fn a_delayed_command_waits_for_the_virtual_clock() {
    let clock = VirtualClock::new();
    let memory = Memory::with_clock(clock.clone());
    let runtime = app().bind(memory.ports()).unwrap();
    send(&runtime, add(0, "c", 1, "a")).await;
    let booked = || {
        let dump = memory.dump().unwrap();
        let account = dump.streams.into_iter().find(|stream| stream.stream == "account-a");
        account.unwrap().events.len()
    };
    memory.settle(&runtime).await.unwrap();
    assert_eq!((booked(), memory.pending().delayed), (1, 1));
    clock.advance(REMINDER - Duration::from_secs(1));
    memory.settle(&runtime).await.unwrap();
    assert_eq!((booked(), memory.pending().delayed), (1, 1));
    clock.advance(Duration::from_secs(1));
    memory.settle(&runtime).await.unwrap();
    assert_eq!((booked(), memory.pending().delayed), (2, 0));
}
