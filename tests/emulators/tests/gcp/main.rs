//! The order app on an emulated Google Cloud, without containers: each function a service of its
//! own, over Google's emulators of Firestore and Pub/Sub, and a stub of Cloud Tasks. The emulators
//! bring no tokens, so that the services take deliveries from anybody.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "../common/cases.rs"]
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod eventarc;
mod installation;
mod invoices;
mod killed;
mod line;
mod poison;
mod tasks;
#[path = "../common/timed.rs"]
mod timed;
mod versions;

use std::path::PathBuf;
use std::process::ExitCode;

use emulators::{CloudTasks, GoogleEmulator, Missing};

use crate::cases::Case;
use crate::installation::Installation;

const CASES: [(&str, Case<Installation>); 6] = [
    (
        "a_service_killed_between_append_and_answer_loses_nothing",
        killed::a_service_killed_between_append_and_answer_loses_nothing,
    ),
    ("a_command_with_a_time_is_run_then_and_not_before", tasks::in_time),
    ("a_command_that_was_not_taken_comes_again_with_the_count_of_its_attempts", tasks::again),
    ("a_poison_event_becomes_a_dead_letter_and_is_tried_again", poison::redriven),
    ("invoices_read_back_through_queries_equal_those_in_memory", invoices::same),
    ("the_emulators_are_those_that_were_tried", versions::tried),
];

/// The programs of all emulators.
fn find() -> Result<[PathBuf; 3], Missing> {
    Ok([GoogleEmulator::Firestore.find()?, GoogleEmulator::PubSub.find()?, CloudTasks::find()?])
}

fn main() -> ExitCode {
    cases::run(&CASES, find(), Installation::new)
}
