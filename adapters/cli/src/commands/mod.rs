//! The commands of every app, one per file.

pub(crate) mod ask;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod manifest;
pub(crate) mod package;
pub(crate) mod privacy;
pub(crate) mod redeliver;
pub(crate) mod replay;
pub(crate) mod revisions;
pub(crate) mod sagas;
pub(crate) mod schemas;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod state;
pub(crate) mod verify;
