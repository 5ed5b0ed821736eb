use skyfold::{Listed, Projection, RecordedEvent, Subscription};

use crate::Day;
use crate::order::{Event, Order};
use crate::undoing::Undoing;
use crate::views::CustomerOrder;

impl Projection for CustomerOrder {
    const NAME: &'static str = "customer-orders";
    const LISTS: &'static [&'static str] = &["history"];
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Order>()
    }

    fn project(key: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        if let Event::OrderPlaced(sale) = &event.data {
            return Some(Self::new(key, sale, Day::moment_of(sale.on, event)));
        }
        let mut view = view?;
        view.status = view.status.after(&event.data);
        if let Some(undoing) = Undoing::of(&event.data) {
            view.taken_back = view.taken_back.saturating_add(undoing.amount);
        }
        Some(view)
    }

    fn listed(_: &str, view: &Self) -> Vec<Listed> {
        let of = |customer| Listed::new("history", customer, &view.placed_at);
        view.customer.iter().map(|customer| of(customer.as_str())).collect()
    }
}
