//! What every adapter does alike: for those who write one, and for nobody else.
//!
//! It is no part of what an app is written against, and may change with any release.

mod checks;
mod fnv;
mod places;
mod seal;

pub use checks::{check_count, check_different, check_key, check_query, check_scan, check_write};
pub use fnv::Fnv;
pub use places::{feed_place, feed_settled};
pub use seal::Seal;
