//! What every adapter does alike: for those who write one, and for nobody else.
//!
//! It is no part of what an app is written against, and may change with any release.

mod batches;
mod checks;
mod errors;
mod fnv;
mod json;
mod keyrings;
mod places;
mod seal;
mod slices;

pub use batches::{check_changes, check_command, check_keys, check_subjects, requests, too_many};
pub use checks::{check_key, check_query, check_scan, check_write};
pub use errors::{THROTTLED_WAIT, again, guard_failed, overtaken, unguarded};
pub use fnv::Fnv;
pub use json::{decode, encode, sort_key};
pub use keyrings::{Keyrings, create_key};
pub use places::{feed_place, feed_settled, time_key};
pub use seal::Seal;
pub use slices::{
    asked_for, check_slice, slice_of, sort_newest_first, unreadable, until_unreadable,
};
