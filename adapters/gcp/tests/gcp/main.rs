//! What is this adapter's alone: what it costs, what it says of errors, which indexes it needs, and
//! the real bus.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod commands;
#[path = "../common/mod.rs"]
mod common;
mod costs;
mod errors;
mod eventarc;
mod indexes;
mod meter;
mod pubsub;
mod script;
mod storm;

use std::process::ExitCode;

use conformance::async_cases;
use emulators::GoogleEmulator;

use crate::common::trials::run;

fn main() -> ExitCode {
    let cases = async_cases![
        commands::what_is_to_run_at_once_goes_by_the_topic_and_what_is_due_later_by_the_queue,
        commands::what_the_topic_refuses_has_failed_and_nothing_else,
        costs::a_command_is_one_write_and_cold_one_read_whatever_the_length,
        costs::an_event_into_a_view_is_one_read_and_one_write,
        costs::a_large_state_costs_no_more_than_a_small_one,
        errors::a_service_that_nobody_reaches_is_unavailable_within_seconds,
        errors::a_service_that_does_not_answer_is_unavailable_within_seconds,
        errors::what_is_refused_has_the_kind_that_says_what_to_do,
        errors::a_missing_index_is_named_with_what_to_do,
        errors::a_command_whose_appends_answer_was_lost_takes_effect_once,
        errors::of_a_batch_of_documents_only_what_was_refused_has_failed,
        errors::a_guard_on_what_is_gone_conflicts_and_a_missing_database_does_not,
        errors::of_a_batch_of_commands_only_what_was_refused_has_failed,
        errors::what_follows_a_failed_announcement_of_its_stream_does_not_overtake_it,
        eventarc::a_trigger_brings_each_new_commit_and_nothing_else,
        indexes::a_query_over_two_fields_or_of_a_field_without_an_index_is_refused,
        indexes::a_field_of_which_nobody_said_what_index_it_has_is_refused,
        pubsub::announcements_of_a_stream_arrive_in_their_order,
        pubsub::a_missing_topic_is_told,
        storm::in_any_weather_money_is_neither_made_nor_lost_and_every_transfer_ends,
    ];
    run(&[GoogleEmulator::Firestore, GoogleEmulator::PubSub], &cases)
}
