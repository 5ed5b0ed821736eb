use skyfold::{Decider, Listed, Projection, RecordedEvent, Subscription};

use crate::stock::{Event, Stock};
use crate::views::StockLevel;

/// A product of which fewer pieces are on the shelf is short.
pub const LOW_STOCK: u32 = 10;

impl Projection for StockLevel {
    const NAME: &'static str = "stock-level";
    const LISTS: &'static [&'static str] = &["low"];
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Stock>()
    }

    fn project(key: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let mut level = view.map(|view| view.level).unwrap_or_default();
        Stock::evolve(&mut level, &event.data);
        Some(Self { product: key.to_owned(), level })
    }

    fn listed(_: &str, view: &Self) -> Vec<Listed> {
        let available = view.level.available;
        if available >= LOW_STOCK {
            return vec![];
        }
        vec![Listed::new("low", "all", available.to_string())]
    }
}
