use skyfold::{Projection, RecordedEvent, Route, Subscription};

use crate::order::{Event, Order};
use crate::projections::sales::Change;
use crate::views::ProductSales;

impl Projection for ProductSales {
    const NAME: &'static str = "sales-by-product";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Order>()
    }

    fn route() -> Route<Event> {
        Route::Keyed(|event| Change::of(&event.data).map(|c| c.products()).unwrap_or_default())
    }

    fn project(key: &str, view: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let mut sales = view.map(|view| view.sales).unwrap_or_default();
        if let Some(change) = Change::of(&event.data) {
            sales.count(&change, |line| line.product.as_str() == key);
        }
        Some(Self { product: key.to_owned(), sales })
    }
}
