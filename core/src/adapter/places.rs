//! When a commit was appended, so that a feed read from an index is in that order and nothing
//! appears in its past.
//!
//! Two writers of one stream may have clocks that differ. Were a commit placed by the clock of its
//! writer, it could come before its predecessor. A commit is placed by its own time instead, which
//! core never lets fall within a stream, unless that is further from the writer's clock than
//! [`SKEW_MAX`]: then by the clock, less or plus that much. So the commits of a stream are in its
//! order wherever clocks differ by less than [`SKEW_MAX`], and no commit is placed further back
//! than [`SKEW_MAX`] before it was appended. What was placed up to [`SETTLED_AFTER`] ago is
//! therefore complete.

use std::time::Duration;

use time::OffsetDateTime;

use super::sort_key;
use crate::Version;

/// By how much the clocks of two writers may differ.
const SKEW_MAX: Duration = Duration::from_secs(2);

/// How long an append may take, from the stamp until the index shows it: the longest request, and
/// the lag of the index, which is less than a second unless writes are throttled.
const APPEND_MAX: Duration = Duration::from_secs(6);

/// After what time nothing is placed any more: the reader's clock may differ as well.
const SETTLED_AFTER: Duration = Duration::from_secs(2 * SKEW_MAX.as_secs() + APPEND_MAX.as_secs());

/// The place in a feed of a commit whose first event has `version`, recorded at `time` and appended
/// `now`: text that sorts by time, then by version.
pub fn feed_place(time: OffsetDateTime, now: OffsetDateTime, version: Version) -> String {
    time_key(time.clamp(now - SKEW_MAX, now + SKEW_MAX), version)
}

/// `time` to the millisecond and `version` as text that sorts by time, then by version.
pub fn time_key(time: OffsetDateTime, version: Version) -> String {
    format!("{}{}", at(time), sort_key(version))
}

/// Where the places of `time` begin, to the millisecond.
fn at(time: OffsetDateTime) -> String {
    let millis = (time.unix_timestamp_nanos() / 1_000_000).max(0);
    format!("{millis:014}")
}

/// The place before which a feed is complete `now`: some ten seconds back, within which every
/// append has either ended or failed.
pub fn feed_settled(now: OffsetDateTime) -> String {
    at(now - SETTLED_AFTER)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2010-12-01 08:26 UTC);
    const SECOND: time::Duration = time::Duration::SECOND;

    #[test]
    fn the_commits_of_a_stream_are_in_its_order_whatever_clocks_say_within_their_skew() {
        // The second writer's clock is behind the first's; its commit's time is not. Whoever
        // decided has one that is at most as far from both.
        for behind in [0, 1, 2] {
            for decided in -9..=2 - behind {
                let (first, second) = (NOW, NOW - SECOND * behind);
                let time: OffsetDateTime = NOW + SECOND * decided;
                let later = time.max(second);
                let (a, b) =
                    (feed_place(time, first, Version(1)), feed_place(later, second, Version(2)));
                assert!(a < b, "{behind} behind, decided at {decided}: {a} {b}");
            }
        }
    }

    #[test]
    fn nothing_is_placed_where_the_feed_has_settled() {
        for years in [-50, -1, 1, 50] {
            let time = NOW + time::Duration::days(365 * years);
            let ends = NOW + SKEW_MAX + APPEND_MAX;
            let placed = feed_place(time, NOW, Version(1));
            assert!(placed > feed_settled(ends), "{years} years off");
            assert!(
                placed < feed_settled(NOW + SKEW_MAX + SETTLED_AFTER + SECOND),
                "it does appear"
            );
        }
    }
}
