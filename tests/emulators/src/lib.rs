//! Emulators of clouds that tests start, without containers: each on a port of its own, and only as
//! long as whoever started it holds it.
//!
//! `tests/emulators/install` brings them; those of Google come with its Cloud SDK. Where one is
//! missing, a test is ignored, and says what installs it; where `CI` is set, it fails.

mod google;
mod installed;
mod ministack;

pub use google::{CLOUD_SDK, Google, GoogleEmulator};
pub use installed::{Missing, installed};
pub use ministack::{Ministack, REGION};

/// Whether what is missing is a failure here, rather than a reason to ignore a test.
pub fn is_required() -> bool {
    std::env::var_os("CI").is_some()
}
