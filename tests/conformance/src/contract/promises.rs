use super::Promise;

const fn promise(
    port: &'static str,
    bullet: &'static str,
    cases: &'static [&'static str],
) -> Promise {
    Promise { port, bullet, cases }
}

/// Every bullet of every contract, in the order of the ports' files and of the bullets in them.
pub const CONTRACT: &[Promise] = &[
    promise(
        "clock.rs",
        "Times are in UTC. They may jump either way: nothing above the port relies on their order.",
        &[
            "clock::the_time_is_in_utc",
            "clock::clocks_that_jump_leave_versions_decisions_and_views_as_they_are",
            "clock::times_do_not_fall_within_a_stream",
        ],
    ),
    promise(
        "clock.rs",
        "A sleep ends no earlier than asked for, by this clock.",
        &["clock::a_sleep_lasts_as_long_as_asked_for"],
    ),
    promise(
        "documents.rs",
        "A get sees every write that returned before it began. A list or scan may lag behind.",
        &[
            "documents::a_get_sees_every_write_that_returned",
            "documents::a_get_answers_in_the_order_of_its_keys",
            "documents::a_body_is_kept_to_the_byte",
            "document_lists::a_list_shows_each_document_as_it_is",
            "limits::a_document_of_the_most_bytes_is_stored",
            "limits::a_batch_of_large_documents_is_written_and_read",
        ],
    ),
    promise(
        "documents.rs",
        "Writes of one batch succeed or fail each on its own, in no particular order, and the \
         outcomes are in the order of the batch.",
        &[
            "documents::writes_of_a_batch_succeed_or_fail_each_on_its_own",
            "documents::a_full_batch_is_written_and_read",
        ],
    ),
    promise(
        "documents.rs",
        "A failed guard is a `Conflict` and writes nothing; of several writers with the same \
         guard one succeeds.",
        &[
            "documents::a_failed_guard_conflicts_and_writes_nothing",
            "documents::of_many_writers_with_one_guard_one_succeeds",
            "model::random_writes_and_lists_match_the_model",
        ],
    ),
    promise(
        "documents.rs",
        "Every write gives the document another revision than it ever had.",
        &[
            "documents::every_write_gives_another_revision",
            "documents::a_revision_does_not_come_back_with_a_document",
        ],
    ),
    promise(
        "documents.rs",
        "Deleting what does not exist succeeds, unless a guard says otherwise.",
        &["documents::deleting_what_does_not_exist_succeeds_unless_guarded"],
    ),
    promise(
        "documents.rs",
        "Two different ids are two documents, whatever characters they hold.",
        &[
            "documents::two_different_ids_are_two_documents",
            "documents::two_collections_share_no_documents",
            "names::random_ids_are_as_many_documents",
            "names::views_of_odd_keys_share_nothing",
        ],
    ),
    promise(
        "documents.rs",
        "A document is in the lists of its last write and in no other.",
        &[
            "document_lists::a_document_is_in_the_lists_of_its_last_write",
            "document_lists::a_deleted_document_is_in_no_list",
            "document_lists::a_list_is_ordered_by_its_text_and_then_by_id",
            "document_lists::what_a_list_is_of_may_be_any_text",
            "model::random_writes_and_lists_match_the_model",
        ],
    ),
    promise(
        "documents.rs",
        "A scan shows every document of its collection and none of another. A page of it may \
         hold fewer than asked for, or none, before the end.",
        &[
            "document_scans::a_scan_shows_every_document_of_its_collection",
            "document_scans::a_scan_shows_each_document_as_it_is",
            "document_scans::a_scan_shows_documents_of_any_id",
        ],
    ),
    promise(
        "documents.rs",
        "A cursor stays usable while documents come and go: none that stayed in place is left \
         out or shown twice.",
        &[
            "document_lists::a_list_is_read_in_pages_without_a_loss",
            "document_lists::a_cursor_stays_usable_while_documents_come_and_go",
            "document_scans::a_cursor_of_a_scan_stays_usable_while_documents_come_and_go",
        ],
    ),
    promise(
        "documents.rs",
        "A cursor that this store did not make, or made for another list or collection, is \
         `Invalid`.",
        &[
            "document_scans::a_cursor_of_another_collection_is_invalid",
            "document_lists::a_cursor_of_another_list_is_invalid",
            "document_lists::a_cursor_that_was_not_made_here_is_invalid",
        ],
    ),
    promise(
        "documents.rs",
        "A document is never shown after it expired, though it may be kept longer; to a guard it \
         is absent.",
        &[
            "documents::an_expired_document_is_not_shown",
            "documents::an_expired_document_is_absent_to_a_guard",
            "documents::a_later_write_decides_when_a_document_expires",
        ],
    ),
    promise(
        "event_feed.rs",
        "A stream is in one slice for good, and its commits appear there in its order.",
        &[
            "event_feed::a_stream_is_in_one_slice_in_its_order",
            "event_feed::the_streams_are_spread_over_the_slices",
        ],
    ),
    promise(
        "event_feed.rs",
        "Nothing appears before a position that was handed out.",
        &["event_feed::nothing_appears_before_a_position_that_was_handed_out"],
    ),
    promise(
        "event_feed.rs",
        "Every commit appears in due time, within `FEED_LAG_MAX` of its append; until then a page \
         may end before it.",
        &[
            "event_feed::every_commit_appears_in_due_time_and_equals_what_was_appended",
            "event_feed::a_query_narrows_by_category_and_time",
            "event_feed::a_page_holds_no_more_than_its_limit",
            "event_feed::the_latest_are_the_newest_first",
        ],
    ),
    promise(
        "event_feed.rs",
        "A commit that cannot be read keeps back no other: its page names it, and ends after it.",
        &[
            "event_feed::a_commit_that_cannot_be_read_keeps_back_no_other",
            "relay::a_commit_that_cannot_be_read_stops_its_stream_alone",
            "sweep::a_sweep_rings_for_a_commit_that_cannot_be_read",
        ],
    ),
    promise(
        "event_feed.rs",
        "Reading on from a position, by whatever process and however much later, continues there.",
        &[
            "event_feed::reading_on_from_a_position_continues_there",
            "replay::a_replay_that_goes_on_reads_only_what_is_left",
        ],
    ),
    promise(
        "event_feed.rs",
        "A position that this feed did not make, or of another slice, is `Invalid`.",
        &[
            "event_feed::a_position_of_another_slice_is_invalid",
            "event_feed::a_position_that_was_not_made_here_is_invalid",
        ],
    ),
    promise(
        "event_store.rs",
        "A commit's events take the versions after `expected`, all of them or none.",
        &[
            "event_store::a_commit_takes_the_versions_after_the_head",
            "event_store::racing_64_writers_leave_a_dense_stream",
            "event_store::writers_of_different_streams_do_not_disturb_each_other",
            "limits::a_commit_of_the_most_events_is_stored_and_one_more_is_refused",
            "names::streams_of_odd_names_share_nothing",
        ],
    ),
    promise(
        "event_store.rs",
        "If the stream no longer ends at `expected`, an append fails with `Conflict` and writes \
         nothing, however many writers race.",
        &[
            "event_store::append_behind_the_head_conflicts_and_writes_nothing",
            "event_store::of_64_writers_at_one_head_one_succeeds",
            "event_store::another_commit_of_the_same_id_conflicts",
            "model::random_appends_and_reads_match_the_model",
        ],
    ),
    promise(
        "event_store.rs",
        "After `Unavailable` the commit may or may not be there. Appending it again is safe: it \
         is there once.",
        &[
            "event_store::appending_again_is_there_once",
            "idempotency::an_append_whose_answer_was_lost_takes_effect_once",
            "idempotency::another_writer_between_an_append_and_its_repetition_changes_nothing",
        ],
    ),
    promise(
        "event_store.rs",
        "A strong read sees every append that returned before it began. An eventual one may be \
         behind but never shows a gap.",
        &[
            "event_store::a_strong_read_sees_every_append_that_returned",
            "event_store::an_eventual_read_shows_a_prefix_without_a_gap",
        ],
    ),
    promise(
        "event_store.rs",
        "A read returns at most `limit` commits, of at most `PAGE_ITEMS_MAX`; fewer does \
         not mean the end unless the slice says so, and none always does.",
        &[
            "event_store::reading_forwards_takes_up_after_any_version",
            "event_store::reading_backwards_takes_up_before_any_version",
            "event_store::a_page_holds_no_more_than_asked_for",
            "event_store::a_stream_that_does_not_exist_is_empty",
            "refusals::pages_of_any_size_lead_to_the_same_state",
        ],
    ),
    promise(
        "event_store.rs",
        "What was read back equals what was appended.",
        &[
            "event_store::what_was_read_back_equals_what_was_appended",
            "limits::the_largest_commit_is_stored_with_the_largest_state",
        ],
    ),
    promise(
        "event_store.rs",
        "A read ends before a commit that cannot be read, and is `Corrupt` if that is the first.",
        &["event_store::a_read_ends_before_a_commit_that_cannot_be_read"],
    ),
    promise(
        "event_store.rs",
        "A snapshot replaces an older one of its stream, and losing it makes loads slower, never \
         different.",
        &[
            "event_store::a_snapshot_is_read_back_and_replaced",
            "limits::a_snapshot_of_256_kib_is_stored",
            "snapshots::a_lost_snapshot_changes_nothing",
            "snapshots::an_older_snapshot_changes_nothing",
        ],
    ),
    promise(
        "key_store.rs",
        "A get sees every create and destroy that returned before it began, and answers in the \
         order of its subjects.",
        &[
            "key_store::a_get_sees_what_was_created_and_destroyed_in_the_order_of_its_subjects",
            "key_store::a_full_batch_of_subjects_is_read",
        ],
    ),
    promise(
        "key_store.rs",
        "Of several creators of one key one wins, and all are told the same keys.",
        &["key_store::of_many_creators_of_one_key_one_wins_and_all_are_told_the_same"],
    ),
    promise(
        "key_store.rs",
        "A key stays as it was created, and keeps its number, until it is destroyed.",
        &[
            "key_store::a_key_keeps_its_number_when_another_is_added",
            "key_store::keys_are_numbered_without_a_gap",
        ],
    ),
    promise(
        "key_store.rs",
        "Destroying a subject's keys is final: no get shows one again, and a create keeps nothing \
         and is told so. That holds for a subject that never had a key, too.",
        &[
            "key_store::destroyed_keys_do_not_come_back",
            "key_store::a_subject_without_a_key_is_destroyed_as_well",
            "key_store::nothing_created_while_keys_are_destroyed_outlives_it",
        ],
    ),
    promise(
        "key_store.rs",
        "After `Unavailable` a change may have been made. Making it again is safe.",
        &["key_store::changes_made_again_change_nothing"],
    ),
    promise(
        "key_store.rs",
        "Two different subjects share nothing.",
        &["key_store::two_subjects_share_nothing"],
    ),
    promise(
        "publisher.rs",
        "An announcement that succeeded reaches every subscriber at least once, in any order.",
        &[
            "publisher_queue::an_announcement_reaches_every_subscriber",
            "publisher_queue::a_full_batch_of_announcements_reaches_its_subscriber",
            "publisher_queue::events_that_nobody_announced_yet_are_relayed",
        ],
    ),
    promise(
        "publisher.rs",
        "Announcements of one batch succeed or fail each on its own, and the outcomes are in the \
         order of the batch.",
        &[
            "publisher_queue::a_full_batch_of_announcements_reaches_its_subscriber",
            "relay::what_could_not_be_announced_is_said",
            "relay::only_what_failed_is_announced_again",
        ],
    ),
    promise(
        "publisher.rs",
        "After `Unavailable` it may have been made: make it again.",
        &[
            "publisher_queue::an_announcement_made_again_changes_nothing",
            "relay::an_announcement_whose_answer_was_lost_is_made_again",
        ],
    ),
    promise(
        "publisher.rs",
        "One that is larger than the bus carries goes out by reference.",
        &["publisher_queue::an_event_that_the_bus_cannot_carry_reaches_its_subscriber"],
    ),
    promise(
        "queue.rs",
        "A command that was accepted is delivered at least once, in any order.",
        &["publisher_queue::a_full_batch_of_commands_is_delivered"],
    ),
    promise(
        "queue.rs",
        "It is not delivered before it is due, except as a hop by a queue that cannot hold it \
         longer.",
        &[
            "publisher_queue::a_command_is_not_delivered_before_it_is_due",
            "publisher_queue::a_command_delivered_early_waits_once_more",
            "publisher_queue::a_command_that_is_not_due_is_sent_on_as_it_is",
        ],
    ),
    promise(
        "queue.rs",
        "Commands of one batch succeed or fail each on its own, and the outcomes are in the order \
         of the batch.",
        &[
            "publisher_queue::a_full_batch_of_commands_is_delivered",
            "sagas::a_lost_answer_at_any_write_changes_nothing_that_is_asked_for",
        ],
    ),
    promise(
        "queue.rs",
        "After `Unavailable` it may have been accepted: send it again.",
        &[
            "publisher_queue::a_command_sent_again_takes_effect_once",
            "sagas::a_lost_answer_at_any_write_changes_nothing_that_is_asked_for",
        ],
    ),
];
