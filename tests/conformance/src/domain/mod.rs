//! A small domain that the suite runs on every adapter: accounts that send each other money, an
//! archive whose state grows large, the views of both and the saga between two accounts.
//!
//! It is made to be told apart by its views: each of them lists what was applied to it, so that an
//! event which is missing, repeated or out of order shows.

mod account;
mod archive;
mod later;
mod member;
mod mending;
mod reports;
mod tags;
mod ticket;
mod transfer;

pub use account::{Account, Arrival, Command, Event, Refusal, State};
pub use archive::{Archive, ArchiveCommand, ArchiveEvent, ArchiveState};
pub use later::{LaterAccount, LaterEvent, LaterFragile};
pub use member::{
    Card, Cards, Member, MemberCommand, MemberEvent, MemberState, Profile, Welcome, members,
};
pub use mending::{AllNotes, Calm, Nervous, ShortNotes};
pub use reports::{Balances, BalancesAnew, Fragile, Mended, Report};
use skyfold::App;
pub use tags::{TagCounts, Tagged, TaggedBy, Tags};
pub use ticket::{AllTickets, Ticket, TicketEvent, TicketStory, TicketWatch};
pub use transfer::{Transfer, TransferState};

/// The app of the suite.
pub fn app() -> App {
    App::new("bank")
        .decider::<Account>()
        .decider::<Archive>()
        .projection::<Balances>()
        .projection::<Fragile>()
        .projection::<Tags>()
        .saga::<Transfer>()
}
