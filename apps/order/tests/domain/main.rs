//! The domain, as sentences: no store, no bus, no clock but the one that a test moves.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

mod fulfilment;
mod fulfilment_undone;
mod interleavings;
mod order;
mod payment;
mod projections;
mod recipient;
mod say;
mod scene;
mod sizes;
mod stock;
