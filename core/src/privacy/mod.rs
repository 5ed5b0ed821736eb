//! Personal data: marked in the domain's types, sealed in whatever leaves the process, and gone
//! with the key of their subject.

mod cipher;
pub(crate) mod mark;
mod personal;
pub(crate) mod places;
mod vault;

pub use personal::Personal;
pub(crate) use vault::{KEY_LIFETIME, OnSealed, Placed, Vault};
