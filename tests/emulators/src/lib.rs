//! Emulators of clouds that tests start, without containers: each on a port of its own, and only as
//! long as whoever started it holds it.
//!
//! `tests/emulators/install` brings them; those of Google come with its Cloud SDK, and that of
//! Cosmos DB is built when it is needed, from a crate with a lock file of its own. Where one is
//! missing, a test is ignored, and says what installs it; where `CI` is set, it fails.

mod azurite;
mod cosmos;
mod google;
mod installed;
mod issuer;
mod ministack;
mod tasks;
mod watched;
mod witness;

pub use azurite::{Azurite, Message};
pub use cosmos::Cosmos;
pub use google::{CLOUD_SDK, Google, GoogleEmulator};
pub use installed::{Missing, installed};
pub use issuer::{Issuer, SigningKey, unsigned};
pub use ministack::{Ministack, REGION};
pub use tasks::CloudTasks;
pub use witness::Witness;

/// Whether what is missing is a failure here, rather than a reason to ignore a test.
pub fn is_required() -> bool {
    std::env::var_os("CI").is_some()
}
