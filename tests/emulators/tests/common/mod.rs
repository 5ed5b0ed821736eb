//! What is the same on every cloud.

pub(crate) mod invoices;
pub(crate) mod poison;
