use skyfold::{Projection, RecordedEvent, Subscription};

use crate::Day;
use crate::order::{Event, Order};
use crate::undoing::Undoing;
use crate::views::OrderSummary;

impl Projection for OrderSummary {
    const NAME: &'static str = "order-summary";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Order>()
    }

    fn project(key: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let mut view = view.unwrap_or_default();
        view.order = key.to_owned();
        view.status = view.status.after(&event.data);
        match &event.data {
            Event::OrderLinesAdded(part) => view.lines.extend_from_slice(&part.lines),
            Event::OrderPlaced(sale) => {
                view.lines.extend_from_slice(&sale.lines);
                view.customer.clone_from(&sale.customer);
                view.recipient.clone_from(&sale.recipient);
                view.placed_on = Some(Day::of(sale.on, event));
                (view.amount, view.currency) = (sale.bill.amount, sale.bill.currency);
            }
            _ => {}
        }
        if let Some(undoing) = Undoing::of(&event.data) {
            view.taken_back = view.taken_back.saturating_add(undoing.amount);
            view.reason = Some(undoing.reason.clone());
        }
        Some(view)
    }
}
