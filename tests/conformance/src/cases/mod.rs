//! The cases, by what they are about.
#![expect(clippy::unwrap_used, reason = "cases are tests, which fail by a panic")]

mod bank;
mod clock;
mod commands;
mod compensations;
mod conflicts;
mod consumers;
mod costs;
mod dead_letters;
mod deliveries;
mod document_lists;
mod document_scans;
mod documents;
mod event_feed;
mod event_store;
mod evolution;
mod health;
mod idempotency;
mod ignored_states;
mod interventions;
mod key_store;
mod keyed;
mod limits;
mod looking;
mod mailbox;
mod mended;
mod model;
mod names;
mod poison;
mod privacy;
mod privacy_sealed;
mod projections;
mod publisher_queue;
mod queries;
mod refusals;
mod rehearsals;
mod relay;
mod replay;
mod revisions;
mod saga_operations;
mod saga_records;
mod sagas;
mod second_attempts;
mod snapshots;
mod sweep;
mod timers;
mod transfers;
mod verify;
mod world;

use futures::future::LocalBoxFuture;

use self::bank::Bank;
use self::mailbox::Mailbox;
pub(crate) use self::world::World;
use crate::Capability;

/// One case: a sentence, what it needs, and how it is tried.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Capability],
    pub(crate) run: fn(World) -> LocalBoxFuture<'static, ()>,
}

/// The functions named, each as a [`Case`] of its own name.
macro_rules! cases {
    ($($(#[needs($($need:ident),*)])? $name:ident),* $(,)?) => {
        &[$($crate::cases::Case {
            name: stringify!($name),
            needs: &[$($($crate::Capability::$need),*)?],
            run: |world| Box::pin($name(world)),
        }),*]
    };
}
use cases;

/// All cases, by group.
pub(crate) const GROUPS: &[(&str, &[Case])] = &[
    ("clock", clock::CASES),
    ("commands", commands::CASES),
    ("compensations", compensations::CASES),
    ("conflicts", conflicts::CASES),
    ("consumers", consumers::CASES),
    ("costs", costs::CASES),
    ("dead_letters", dead_letters::CASES),
    ("deliveries", deliveries::CASES),
    ("document_lists", document_lists::CASES),
    ("document_scans", document_scans::CASES),
    ("documents", documents::CASES),
    ("event_feed", event_feed::CASES),
    ("event_store", event_store::CASES),
    ("evolution", evolution::CASES),
    ("health", health::CASES),
    ("idempotency", idempotency::CASES),
    ("ignored_states", ignored_states::CASES),
    ("interventions", interventions::CASES),
    ("key_store", key_store::CASES),
    ("keyed", keyed::CASES),
    ("limits", limits::CASES),
    ("looking", looking::CASES),
    ("mended", mended::CASES),
    ("model", model::CASES),
    ("names", names::CASES),
    ("poison", poison::CASES),
    ("privacy", privacy::CASES),
    ("privacy_sealed", privacy_sealed::CASES),
    ("projections", projections::CASES),
    ("publisher_queue", publisher_queue::CASES),
    ("queries", queries::CASES),
    ("refusals", refusals::CASES),
    ("rehearsals", rehearsals::CASES),
    ("relay", relay::CASES),
    ("replay", replay::CASES),
    ("revisions", revisions::CASES),
    ("saga_operations", saga_operations::CASES),
    ("saga_records", saga_records::CASES),
    ("sagas", sagas::CASES),
    ("second_attempts", second_attempts::CASES),
    ("snapshots", snapshots::CASES),
    ("sweep", sweep::CASES),
    ("timers", timers::CASES),
    ("transfers", transfers::CASES),
    ("verify", verify::CASES),
];
