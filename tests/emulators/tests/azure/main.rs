//! The order app on an emulated Azure, without containers: the package as the project packs it, as
//! four function apps, over Microsoft's emulators of Cosmos DB and of Queue Storage.
//!
//! There is no emulator of Event Grid, and the Functions host does not run here: what they do is
//! done by [`services`] and by [`host`], as their documentation has it.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../common/cases.rs"]
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod contract;
#[allow(dead_code, unreachable_pub, reason = "it is part of the tests of the adapter")]
#[path = "../../../../adapters/azure/tests/common/emulator.rs"]
mod emulator;
mod front;
mod host;
mod installation;
mod invoices;
mod killed;
#[allow(dead_code, reason = "what is deployed from the archive uses more of it")]
#[path = "../common/package.rs"]
mod package;
mod poison;
mod queue;
mod services;
#[path = "../common/timed.rs"]
mod timed;
mod triggers;

use std::process::ExitCode;

use emulators::{Azurite, Cosmos, Missing};

use crate::cases::Case;
use crate::installation::Installation;

const CASES: [(&str, Case<Installation>); 6] = [
    ("a_command_with_a_time_is_run_then_and_not_before", queue::in_time),
    ("a_poison_event_becomes_a_dead_letter_and_is_tried_again", poison::redriven),
    (
        "a_relay_killed_while_it_announces_loses_and_doubles_nothing",
        killed::a_relay_killed_while_it_announces_loses_and_doubles_nothing,
    ),
    ("invoices_read_back_through_queries_equal_those_in_memory", invoices::same),
    ("the_program_answers_what_the_functions_host_posts", contract::golden),
    ("what_nobody_can_read_stays_where_somebody_finds_it", queue::kept),
];

/// Whether all emulators are there.
fn find() -> Result<(), Missing> {
    Cosmos::find()?;
    Azurite::find()?;
    Ok(())
}

fn main() -> ExitCode {
    cases::run(&CASES, find(), |()| Installation::new())
}
