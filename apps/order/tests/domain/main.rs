//! The domain, as sentences: no store, no bus, no clock but the one that a test moves.

mod fulfilment;
mod interleavings;
mod order;
mod payment;
mod projections;
mod say;
mod sizes;
mod stock;
