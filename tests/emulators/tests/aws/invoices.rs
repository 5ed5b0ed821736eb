use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Failed;
use portability::chain::{in_memory, invoices};
use skyfold_cli::Client;

use crate::installation::Installation;

/// Between two functions that are killed.
const KILL_PAUSE: Duration = Duration::from_millis(700);

/// The functions that are killed: all that work behind the API, in no particular order. What is
/// between an append and its announcement is in the hands of the relay.
const VICTIMS: [&str; 4] = ["relay", "commands", "fulfilment", "order-summary"];

pub(crate) fn same(aws: &Installation) -> Result<(), Failed> {
    let expected = aws.tokio.block_on(in_memory(invoices()));
    let client = Client::http(&aws.url, order::app().manifest()).unwrap();
    let (is_over, kills) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| kill_now_and_then(aws, &is_over, &kills));
        // However it ends, the killing ends as well.
        let placing = || aws.tokio.block_on(expected.place(&client));
        let placed = catch_unwind(AssertUnwindSafe(placing));
        is_over.store(true, Ordering::Relaxed);
        placed.unwrap_or_else(|panic| resume_unwind(panic));
    });
    let kills = kills.into_inner();
    assert!(kills > 0, "something was killed");
    aws.tokio.block_on(expected.is_shown(&client));
    eprintln!("{} questions, {kills} kills", expected.questions());
    Ok(())
}

/// Kills the processes of one function after the other, as a machine does that goes down.
fn kill_now_and_then(aws: &Installation, is_over: &AtomicBool, kills: &AtomicU32) {
    for victim in VICTIMS.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        kills.fetch_add(aws.kill(victim), Ordering::Relaxed);
        std::thread::sleep(KILL_PAUSE);
    }
}
