use std::collections::BTreeMap;
use std::time::Duration;

use order::bill::Bill;
use order::level::{Level, Pieces, Share};
use order::line::Line;
use order::order::Event::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderLinesAdded, OrderPlaced,
    OrderPlacementFailed, OrderReturned, OrderShipped,
};
use order::sale::Sale;
use order::stock::Event::{
    ReservationRefused, StockReceived, StockReleased, StockReserved, StockWrittenOff,
};
use order::undoing::Undoing;
use order::views::{CustomerOrder, DaySales, OrderSummary, ProductSales, Sales, StockLevel};
use order::{Money, Status};
use skyfold::testing::projection;

use crate::say::{charge, day, gbp, id, later_sale, line, money, part, sale, undoing};

fn lines() -> Vec<Line> {
    vec![line("LANTERN", 6, "2.55"), line("HEART", 2, "3.39"), charge("POST", "18.00")]
}

fn heart_back() -> Undoing {
    Undoing { on: Some(day("2010-12-03")), ..undoing("broken", [line("HEART", 1, "3.39")]) }
}

fn summary() -> OrderSummary {
    OrderSummary {
        order: "42".into(),
        customer: Some(id("ada")),
        recipient: None,
        status: Status::Placed,
        placed_on: Some(day("2010-12-01")),
        lines: lines(),
        amount: money("40.08"),
        taken_back: Money::ZERO,
        reason: None,
        currency: gbp(),
    }
}

#[test]
fn the_summary_shows_what_was_ordered_and_where_it_is() {
    let at = |status| OrderSummary { status, ..summary() };
    let back = |pounds| OrderSummary {
        taken_back: money(pounds),
        reason: Some("broken".into()),
        ..at(Status::Returned)
    };
    projection::<OrderSummary>()
        .given("order-42", OrderPlaced(sale(lines())))
        .shows("42", summary())
        .given("order-42", OrderConfirmed)
        .shows("42", at(Status::Confirmed))
        .given("order-42", OrderShipped)
        .shows("42", at(Status::Shipped))
        .given("order-42", OrderDelivered)
        .shows("42", at(Status::Delivered))
        .given("order-42", OrderReturned(heart_back()))
        .shows("42", back("3.39"))
        .given("order-42", OrderReturned(heart_back()))
        .shows("42", back("6.78"))
        .shows_nothing_of("43");
}

#[test]
fn the_summary_of_a_long_order_names_every_product() {
    let (early, late) = ([line("A", 1, "1.00")], [line("B", 2, "2.00")]);
    let draft =
        OrderSummary { order: "42".into(), lines: early.to_vec(), ..OrderSummary::default() };
    projection::<OrderSummary>()
        .given("order-42", OrderLinesAdded(part(early.clone())))
        .shows("42", draft)
        .given("order-42", OrderPlaced(later_sale(early.clone(), late.clone())))
        .shows(
            "42",
            OrderSummary { lines: [early, late].concat(), amount: money("5.00"), ..summary() },
        );
}

#[test]
fn the_summary_of_an_order_that_is_off_shows_that_all_of_it_was_taken_back() {
    for (event, status, reason) in [
        (OrderCancelled(undoing("late", lines())), Status::Cancelled, "late"),
        (OrderPlacementFailed(undoing("no stock", lines())), Status::Failed, "no stock"),
    ] {
        let (taken_back, reason) = (money("40.08"), Some(reason.into()));
        projection::<OrderSummary>()
            .given("order-42", OrderPlaced(sale(lines())))
            .given("order-42", event)
            .shows("42", OrderSummary { status, taken_back, reason, ..summary() });
    }
}

#[test]
fn an_order_without_a_day_of_business_was_placed_when_it_was_recorded() {
    let today = Sale { on: None, ..sale(lines()) };
    let placed_on = Some(day("2020-01-02"));
    projection::<OrderSummary>()
        .waits(Duration::from_secs(24 * 3600))
        .given("order-42", OrderPlaced(today.clone()))
        .shows("42", OrderSummary { placed_on, ..summary() });
    projection::<DaySales>()
        .waits(Duration::from_secs(24 * 3600 - 1))
        .given("order-42", OrderPlaced(today))
        .shows("2020-01-01", day_sales("2020-01-01", 9, "40.08"));
}

#[test]
fn the_orders_of_a_customer_are_listed_by_the_time_they_were_placed() {
    let on = |text| Sale { on: Some(day(text)), ..sale(lines()) };
    let now = Sale { on: None, ..sale(lines()) };
    let guest = Sale { customer: None, ..sale(lines()) };
    projection::<CustomerOrder>()
        .given("order-1", OrderPlaced(now.clone()))
        .given("order-2", OrderPlaced(on("2010-12-03")))
        .given("order-3", OrderPlaced(on("2010-12-01")))
        .waits(Duration::from_millis(1))
        .given("order-0", OrderPlaced(now))
        .given("order-4", OrderPlaced(guest))
        .given("order-5", OrderLinesAdded(part(lines())))
        .lists("history", "ada", ["3", "2", "1", "0"])
        .shows_nothing_of("5");
}

#[test]
fn the_orders_of_a_customer_show_where_they_are() {
    let order = |status, taken_back| CustomerOrder {
        order: "42".into(),
        customer: Some(id("ada")),
        status,
        placed_at: "2010-12-01T00:00:00.000Z".into(),
        lines: 3,
        amount: money("40.08"),
        taken_back: money(taken_back),
        currency: gbp(),
    };
    projection::<CustomerOrder>()
        .given("order-42", OrderPlaced(sale(lines())))
        .shows("42", order(Status::Placed, "0.00"))
        .given("order-42", OrderConfirmed)
        .shows("42", order(Status::Confirmed, "0.00"))
        .given("order-42", OrderReturned(heart_back()))
        .shows("42", order(Status::Returned, "3.39"));
}

#[test]
fn the_stock_level_follows_what_happens_and_tells_what_is_low() {
    let pieces = |quantity| Pieces { quantity, reason: String::new() };
    let share = |quantity| Share { order: id("42"), quantity };
    let level = |available, reserved| StockLevel {
        product: "HEART".into(),
        level: Level { available, reserved },
    };
    projection::<StockLevel>()
        .given("stock-HEART", StockReceived(pieces(12)))
        .lists("low", "all", [])
        .given("stock-HEART", StockReserved(share(2)))
        .shows("HEART", level(10, 2))
        .lists("low", "all", [])
        .given("stock-HEART", StockReserved(share(1)))
        .shows("HEART", level(9, 3))
        .given("stock-LANTERN", StockReceived(pieces(3)))
        .lists("low", "all", ["LANTERN", "HEART"])
        .given("stock-HEART", ReservationRefused(share(10)))
        .given("stock-HEART", StockWrittenOff(pieces(4)))
        .shows("HEART", level(5, 3))
        .given("stock-HEART", StockReleased(share(3)))
        .shows("HEART", level(8, 0))
        .given("stock-HEART", StockReceived(pieces(2)))
        .lists("low", "all", ["LANTERN"]);
}

fn sales(quantity: i64, pounds: &str) -> Sales {
    Sales { quantity, amounts: BTreeMap::from([(gbp(), money(pounds))]) }
}

fn day_sales(day: &str, quantity: i64, pounds: &str) -> DaySales {
    DaySales { day: day.into(), sales: sales(quantity, pounds) }
}

#[test]
fn the_sales_of_a_day_are_net_of_what_was_taken_back_on_it() {
    let failed = Undoing { on: Some(day("2010-12-01")), ..undoing("no stock", lines()) };
    projection::<DaySales>()
        .given("order-1", OrderPlaced(sale(lines())))
        .given("order-2", OrderPlaced(sale(lines())))
        .shows("2010-12-01", day_sales("2010-12-01", 18, "80.16"))
        .given("order-2", OrderPlacementFailed(failed))
        .given("order-1", OrderConfirmed)
        .shows("2010-12-01", day_sales("2010-12-01", 9, "40.08"))
        .given("order-1", OrderReturned(heart_back()))
        .shows("2010-12-01", day_sales("2010-12-01", 9, "40.08"))
        .shows("2010-12-03", day_sales("2010-12-03", -1, "-3.39"))
        .lists("days", "all", ["2010-12-01", "2010-12-03"]);
}

#[test]
fn the_sales_of_a_draft_are_none_until_it_is_placed() {
    let (early, late) = ([line("A", 1, "1.00")], [line("B", 2, "2.00")]);
    projection::<DaySales>()
        .given("order-1", OrderLinesAdded(part(early.clone())))
        .shows_nothing_of("2020-01-01")
        .given("order-1", OrderPlaced(later_sale(early.clone(), late.clone())))
        .shows("2010-12-01", day_sales("2010-12-01", 3, "5.00"));
    let of = |product: &str, quantity, pounds| ProductSales {
        product: product.into(),
        sales: sales(quantity, pounds),
    };
    projection::<ProductSales>()
        .given("order-1", OrderLinesAdded(part(early.clone())))
        .shows_nothing_of("A")
        .given("order-1", OrderPlaced(later_sale(early, late)))
        .shows("A", of("A", 1, "1.00"))
        .shows("B", of("B", 2, "4.00"));
}

#[test]
fn the_sales_of_a_product_are_net_of_what_was_taken_back() {
    let of = |product: &str, quantity, pounds| ProductSales {
        product: product.into(),
        sales: sales(quantity, pounds),
    };
    let twice = [line("HEART", 2, "3.39"), line("HEART", 4, "2.95"), charge("POST", "18.00")];
    projection::<ProductSales>()
        .given("order-1", OrderPlaced(sale(twice.clone())))
        .shows("HEART", of("HEART", 6, "18.58"))
        .shows("POST", of("POST", 1, "18.00"))
        .given("order-1", OrderReturned(heart_back()))
        .shows("HEART", of("HEART", 5, "15.19"))
        .given("order-2", OrderPlaced(sale(twice.clone())))
        .given("order-2", OrderCancelled(undoing("late", twice)))
        .shows("HEART", of("HEART", 5, "15.19"))
        .shows("POST", of("POST", 1, "18.00"));
}

#[test]
fn sales_in_different_currencies_are_counted_apart() {
    let bill = Bill { amount: money("40.08"), currency: "EUR".parse().unwrap() };
    let euros = Sale { bill, ..sale(lines()) };
    let amounts =
        BTreeMap::from([(gbp(), money("40.08")), ("EUR".parse().unwrap(), money("40.08"))]);
    let sales = Sales { quantity: 18, amounts };
    projection::<DaySales>()
        .given("order-1", OrderPlaced(sale(lines())))
        .given("order-2", OrderPlaced(euros))
        .shows("2010-12-01", DaySales { day: "2010-12-01".into(), sales });
}
