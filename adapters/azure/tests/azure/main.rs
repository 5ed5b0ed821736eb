//! What is this adapter's alone: what it costs, and what it says of errors.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../common/mod.rs"]
mod common;
mod costs;
mod errors;
mod lagging;
mod large;
mod meter;
mod split;
mod storm;

use std::process::ExitCode;

use crate::common::trials::run;
use conformance::async_cases;

fn main() -> ExitCode {
    meter::prepare();
    let cases = async_cases![
        costs::a_command_is_one_create_and_cold_one_query_whatever_the_length,
        costs::an_event_into_a_view_is_one_read_and_one_write,
        errors::a_container_that_does_not_exist_is_told,
        errors::what_nobody_reaches_is_unavailable_within_seconds,
        errors::an_answer_that_leads_elsewhere_is_no_success,
        errors::a_command_that_the_queue_refuses_is_not_kept,
        errors::what_is_shown_holds_no_secret,
        lagging::what_was_written_is_read_at_once_though_another_region_lags,
        lagging::what_was_written_is_read_at_once_after_many_failures,
        large::a_command_that_is_larger_than_a_message_arrives_whole,
        large::a_command_is_kept_until_it_was_done,
        large::an_id_that_the_service_would_refuse_is_found_again,
        split::the_feed_goes_on_where_it_was_after_partitions_have_split,
        storm::no_request_is_made_again_whatever_comes_of_it,
    ];
    run(&cases)
}
