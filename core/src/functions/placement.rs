//! Where the state of a stream is kept: with the commit where that costs nothing, with every k-th
//! where it saves more reads than it costs writes, and beside the stream where it is too large.

use std::io;

use crate::ports::Pricing;
use crate::{Commit, StoredState};

/// Where a state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this commit.
    Commit,
    /// In a later one.
    Later,
    /// In the stream's snapshot, when one is due.
    Snapshot,
}

/// Decides where `state` is kept after `commits` that carry none, and shortens the window of
/// `commit` as far as that saves a write unit.
pub(crate) fn place(
    pricing: &Pricing,
    commit: &mut Commit,
    state: &StoredState,
    commits: u64,
) -> Place {
    let state_bytes = bytes(state);
    let is_large = state_bytes > pricing.state_bytes_max;
    if pricing.write_unit_bytes == 0 {
        return if is_large { Place::Snapshot } else { Place::Commit };
    }
    let bare = shorten(pricing, commit, if is_large { 0 } else { state_bytes });
    if is_large {
        return Place::Snapshot;
    }
    let extra = units(pricing, bare + state_bytes) - units(pricing, bare);
    if commits + 1 >= interval(pricing, bare, extra) { Place::Commit } else { Place::Later }
}

/// After how many commits a state that costs `extra` write units is worth them: the k at which
/// what the state costs, spread over k commits, equals what reading up to k commits costs.
fn interval(pricing: &Pricing, commit_bytes: usize, extra: usize) -> u64 {
    let item_bytes = pricing.item_overhead_bytes + commit_bytes;
    (pricing.read_bytes_per_write_unit * extra / item_bytes.max(1)).isqrt() as u64
}

/// Forgets commands while that saves a write unit. Returns the bytes of the commit.
fn shorten(pricing: &Pricing, commit: &mut Commit, state_bytes: usize) -> usize {
    let window = bytes(&commit.window);
    let rest = bytes(commit) - window;
    let mut shortest = commit.window.clone();
    while shortest.shrink() {}
    let least = units(pricing, rest + bytes(&shortest) + state_bytes);
    let mut left = rest + window;
    while units(pricing, left + state_bytes) > least && commit.window.shrink() {
        left = rest + bytes(&commit.window);
    }
    left
}

fn units(pricing: &Pricing, bytes: usize) -> usize {
    (pricing.item_overhead_bytes + bytes).div_ceil(pricing.write_unit_bytes)
}

/// How many bytes `value` takes as JSON.
pub(crate) fn bytes<T: serde::Serialize>(value: &T) -> usize {
    let mut counter = Counter(0);
    // What cannot be written is refused when it is encoded, not when it is weighed.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Counts what is written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0 += buffer.len();
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::window::{Entry, Window};
    use crate::{CommandId, Metadata, NewEvent, Payload, Version};

    /// DynamoDB: 1 KB a write unit, and 40,960 bytes read for its price.
    const DYNAMODB: Pricing = Pricing {
        write_unit_bytes: 1024,
        item_overhead_bytes: 100,
        read_bytes_per_write_unit: 40_960,
        state_bytes_max: 16 * 1024,
    };

    fn commit(data_bytes: usize, window: usize) -> Commit {
        let event = NewEvent { event_type: "Probed".into(), schema: 1, data: text(data_bytes) };
        let (id, now) = (CommandId::new("c").unwrap(), OffsetDateTime::UNIX_EPOCH);
        let mut commit = Commit::new(id, 0, now, Metadata::default(), vec![event]).unwrap();
        for n in 0..window {
            let id = CommandId::derived(now + Duration::seconds(n as i64), &["x"]);
            commit.window.remember(Entry { id, fingerprint: 0, first: Version(1), count: 1 });
        }
        commit
    }

    fn text(bytes: usize) -> Payload {
        Payload::encode(&"x".repeat(bytes - 2)).unwrap()
    }

    fn state(bytes: usize) -> StoredState {
        StoredState { format: 1, state: text(bytes), checksum: u32::MAX }
    }

    #[test]
    fn a_state_that_fits_the_write_unit_rides_along_with_every_commit() {
        assert_eq!(place(&DYNAMODB, &mut commit(200, 0), &state(300), 0), Place::Commit);
    }

    #[test]
    fn a_larger_state_rides_along_with_every_kth_commit() {
        let at = |commits| place(&DYNAMODB, &mut commit(200, 0), &state(4_000), commits);
        // 4 more units and items of some 360 bytes: k = sqrt(40,960 * 4 / 406) = 20.
        assert_eq!((at(0), at(18), at(19)), (Place::Later, Place::Later, Place::Commit));
    }

    #[test]
    fn a_state_over_the_limit_becomes_a_snapshot_on_every_store() {
        let flat = Pricing { write_unit_bytes: 0, ..DYNAMODB };
        for pricing in [DYNAMODB, flat] {
            assert_eq!(place(&pricing, &mut commit(200, 0), &state(20_000), 99), Place::Snapshot);
        }
        let largest = state(16 * 1024 - (bytes(&state(100)) - 100));
        assert_eq!(bytes(&largest), flat.state_bytes_max);
        assert_eq!(place(&flat, &mut commit(200, 0), &largest, 0), Place::Commit);
    }

    #[test]
    fn a_window_is_shortened_no_further_than_the_unit_asks_for() {
        let unit = |bytes: usize| (DYNAMODB.item_overhead_bytes + bytes).div_ceil(1024);
        let mut has_shrunk = 0;
        for data in (100..1_500).step_by(10) {
            let whole = commit(data, 20);
            let mut shortened = whole.clone();
            let told = shorten(&DYNAMODB, &mut shortened, 50);
            let is = bytes(&shortened);
            assert_eq!(told, is, "{data}");
            let mut least = whole.clone();
            while least.window.shrink() {}
            assert_eq!(unit(is + 50), unit(bytes(&least) + 50), "{data}");
            let mut one_more = whole.clone();
            while one_more.window.len() > shortened.window.len() + 1 && one_more.window.shrink() {}
            if shortened.window.len() < 20 {
                has_shrunk += 1;
                assert!(unit(bytes(&one_more) + 50) > unit(is + 50), "{data}: too few are left");
            }
        }
        assert!(has_shrunk > 10, "{has_shrunk}");
    }

    #[test]
    fn a_window_is_shortened_only_where_that_saves_a_write_unit() {
        let entries = |data, state_bytes| {
            let mut commit = commit(data, 20);
            place(&DYNAMODB, &mut commit, &state(state_bytes), 0);
            commit.window.len()
        };
        assert_eq!(entries(100, 20), 20, "all of it fits one unit");
        assert_eq!(entries(1_000, 20), 20, "two units either way");
        let some = entries(385, 50);
        assert!((Window::ENTRIES_MIN..20).contains(&some), "{some}");
        assert_eq!(entries(625, 50), Window::ENTRIES_MIN, "hardly any of it fits one unit");
    }
}
