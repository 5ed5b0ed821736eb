//! What is the same on every cloud.

pub(crate) mod poison;
