//! What hosts share that take deliveries over HTTP: who may deliver, by the token that a delivery
//! brings, and what it is answered if it is not taken. For those who write a host, and for nobody
//! else: it may change with any release.

mod certs;
mod tokens;
mod untaken;

pub use certs::Certs;
pub use tokens::{Tokens, bearer};
pub use untaken::Untaken;

#[cfg(test)]
mod tests;
