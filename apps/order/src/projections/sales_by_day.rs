use skyfold::{Listed, Projection, RecordedEvent, Route, Subscription};

use crate::Day;
use crate::order::{Event, Order};
use crate::projections::sales::Change;
use crate::views::DaySales;

impl Projection for DaySales {
    const NAME: &'static str = "sales-by-day";
    const LISTS: &'static [&'static str] = &["days"];
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Order>()
    }

    fn route() -> Route<Event> {
        Route::Keyed(|event| {
            let change = Change::of(&event.data);
            change.iter().map(|change| Day::of(change.on, event).to_string()).collect()
        })
    }

    fn project(key: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let mut sales = view.map(|view| view.sales).unwrap_or_default();
        if let Some(change) = Change::of(&event.data) {
            sales.count(&change, |_| true);
        }
        Some(Self { day: key.to_owned(), sales })
    }

    fn listed(key: &str, _: &Self) -> Vec<Listed> {
        vec![Listed::new("days", "all", key)]
    }
}
