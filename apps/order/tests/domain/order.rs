use order::line::{COMMAND_LINES_MAX, LINE_QUANTITY_MAX, ORDER_LINES_MAX};
use order::order::Command::{AddLines, Cancel, Confirm, Deliver, Fail, Place, Return, Ship};
use order::order::Event::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderLinesAdded, OrderPlaced,
    OrderPlacementFailed, OrderReturned, OrderShipped,
};
use order::order::{Command, Event, Order};
use order::undoing::{Because, Undoing};
use skyfold::testing::{Given, given};

use crate::say::{
    basket, because, brought_back, charge, day, later_sale, line, money, part, sale, undoing,
};

fn draft() -> Given<Order> {
    given([])
}

/// Six lanterns at 2.55, two hearts at 3.39, and postage.
fn lines() -> Vec<order::line::Line> {
    vec![line("LANTERN", 6, "2.55"), line("HEART", 2, "3.39"), charge("POST", "18.00")]
}

fn placed() -> Given<Order> {
    given([OrderPlaced(sale(lines()))])
}

fn confirmed() -> Given<Order> {
    placed().and([OrderConfirmed])
}

fn shipped() -> Given<Order> {
    confirmed().and([OrderShipped])
}

fn delivered() -> Given<Order> {
    shipped().and([OrderDelivered])
}

fn cancelled() -> Given<Order> {
    placed().and([OrderCancelled(undoing("changed my mind", lines()))])
}

fn failed() -> Given<Order> {
    placed().and([OrderPlacementFailed(undoing("no stock", lines()))])
}

fn cancel() -> Command {
    Cancel(because("changed my mind"))
}

fn bring_back() -> Command {
    Return(brought_back([("HEART", 1, None)]))
}

fn fail() -> Command {
    Fail(because("no stock"))
}

#[test]
fn an_order_is_placed_and_tells_what_it_comes_to() {
    draft().when(Place(basket(lines()))).then([OrderPlaced(sale(lines()))]);
    assert_eq!(sale(lines()).bill.amount, money("40.08"));
}

#[test]
fn a_guest_may_order_and_the_day_is_today_unless_named() {
    let guest = order::sale::Basket { customer: None, on: None, ..basket(lines()) };
    let sold = order::sale::Sale { customer: None, on: None, ..sale(lines()) };
    draft().when(Place(guest)).then([OrderPlaced(sold)]);
}

#[test]
fn the_same_product_may_be_on_two_lines() {
    let lines = [line("HEART", 1, "3.39"), line("HEART", 2, "2.95")];
    draft().when(Place(basket(lines.clone()))).then([OrderPlaced(sale(lines))]);
}

#[test]
fn a_long_order_comes_in_parts_and_is_placed_with_the_rest() {
    let (first, second, rest) =
        ([line("A", 1, "1.00")], [line("B", 2, "2.00")], [line("C", 3, "3.00")]);
    draft()
        .when(AddLines(part(first.clone())))
        .then([OrderLinesAdded(part(first.clone()))])
        .when(AddLines(part(second.clone())))
        .then([OrderLinesAdded(part(second.clone()))])
        .when(Place(basket(rest.clone())))
        .then([OrderPlaced(later_sale([first, second].concat(), rest))]);
}

#[test]
fn lines_that_were_added_may_be_all() {
    let lines = [line("A", 1, "1.00")];
    given::<Order>([OrderLinesAdded(part(lines.clone()))])
        .when(Place(basket([])))
        .then([OrderPlaced(later_sale(lines, []))]);
}

#[test]
fn an_order_without_lines_is_refused() {
    draft().when(Place(basket([]))).refused("an order has at least one line");
    draft().when(AddLines(part([]))).refused("an order has at least one line");
}

#[test]
fn an_order_of_too_many_lines_is_refused() {
    let some = |count: usize| vec![line("A", 1, "1.00"); count];
    let at_once = COMMAND_LINES_MAX + 1;
    let reason = format!(
        "a command brings at most {COMMAND_LINES_MAX} lines, not {at_once}: use AddLines before \
         Place"
    );
    draft().when(Place(basket(some(at_once)))).refused(&reason);
    draft().when(AddLines(part(some(at_once)))).refused(&reason);

    let full = ORDER_LINES_MAX / COMMAND_LINES_MAX;
    let reason =
        format!("an order has at most {ORDER_LINES_MAX} lines, not {}", ORDER_LINES_MAX + 1);
    given::<Order>(vec![OrderLinesAdded(part(some(COMMAND_LINES_MAX))); full])
        .when(AddLines(part(some(1))))
        .refused(&reason)
        .when(Place(basket(some(1))))
        .refused(&reason)
        .when(Place(basket([])))
        .then([OrderPlaced(later_sale(some(ORDER_LINES_MAX), []))]);
}

#[test]
fn a_line_that_makes_no_sense_is_refused() {
    let mut silent = line("A", 1, "1.00");
    silent.description = "a\u{7}b".into();
    let mut talkative = line("A", 1, "1.00");
    talkative.description = "x".repeat(65);
    let long = "X".repeat(33);
    for (wrong, reason) in [
        (line("A", 0, "1.00"), "the quantity of A is not 1 to 1000000, but 0"),
        (
            line("A", LINE_QUANTITY_MAX + 1, "1"),
            "the quantity of A is not 1 to 1000000, but 1000001",
        ),
        (line("A", 1, "-0.01"), "the price of A is negative: -0.01"),
        (line(&long, 1, "1"), &format!("the product {long} has more than 32 characters")),
        (silent, "the description of A is not up to 64 bytes of printable text"),
        (talkative, "the description of A is not up to 64 bytes of printable text"),
        (line("A", 1_000, "1000000.01"), "the order comes to more than 1000000000.00"),
        (line("A", 1_000_000, "999999999999999999"), "the order comes to more than 1000000000.00"),
    ] {
        let lines = [line("B", 1, "1.00"), wrong];
        draft().when(Place(basket(lines))).refused(reason);
    }
    let free = [line("A", LINE_QUANTITY_MAX, "0")];
    draft().when(Place(basket(free.clone()))).then([OrderPlaced(sale(free))]);
}

#[test]
fn an_order_goes_its_way_step_by_step() {
    placed()
        .when(Confirm)
        .then([OrderConfirmed])
        .when(Ship)
        .then([OrderShipped])
        .when(Deliver)
        .then([OrderDelivered]);
}

#[test]
fn what_was_done_before_is_accepted_and_changes_nothing() {
    for given in [confirmed, shipped, delivered] {
        given().when(Confirm).then([]);
    }
    for given in [shipped, delivered] {
        given().when(Ship).then([]);
    }
    delivered().when(Deliver).then([]);
    cancelled().when(cancel()).then([]);
    failed().when(fail()).then([]);
    let returned = delivered()
        .when(bring_back())
        .then([OrderReturned(undoing("too small", [line("HEART", 1, "3.39")]))]);
    returned.when(Confirm).then([]).when(Ship).then([]).when(Deliver).then([]);
}

#[test]
fn a_command_that_comes_too_early_or_too_late_is_refused() {
    let refused = |given: fn() -> Given<Order>, status: &str, commands: Vec<Command>| {
        for command in commands {
            let reason = format!("this is not possible while the order is {status}");
            given().when(command).refused(&reason);
        }
    };
    let place = || Place(basket(lines()));
    let add = || AddLines(part(lines()));
    refused(draft, "a draft", vec![Confirm, Ship, Deliver, cancel(), bring_back(), fail()]);
    refused(placed, "placed", vec![add(), place(), Ship, Deliver, bring_back()]);
    refused(confirmed, "confirmed", vec![add(), place(), Deliver, bring_back(), fail()]);
    refused(shipped, "shipped", vec![add(), place(), cancel(), bring_back(), fail()]);
    refused(delivered, "delivered", vec![add(), place(), cancel(), fail()]);
    let all = || vec![add(), place(), Confirm, Ship, Deliver, bring_back()];
    refused(cancelled, "cancelled", [all(), vec![fail()]].concat());
    refused(failed, "failed", [all(), vec![cancel()]].concat());
}

#[test]
fn cancelling_takes_everything_back_on_the_day_it_is_cancelled() {
    let on = Some(day("2010-12-03"));
    let why = Because { reason: "changed my mind".into(), on };
    let all = Undoing { on, ..undoing("changed my mind", lines()) };
    for given in [placed, confirmed] {
        given().when(Cancel(why.clone())).then([OrderCancelled(all.clone())]);
    }
}

#[test]
fn failing_takes_everything_back_on_the_day_it_was_placed() {
    let all = Undoing { on: Some(day("2010-12-01")), ..undoing("no stock", lines()) };
    placed().when(fail()).then([OrderPlacementFailed(all)]);
}

#[test]
fn goods_come_back_for_the_price_that_was_paid() {
    let back = undoing("too small", [line("LANTERN", 2, "2.55"), line("HEART", 1, "3.39")]);
    assert_eq!(back.amount, money("8.49"));
    delivered()
        .when(Return(brought_back([("LANTERN", 2, None), ("HEART", 1, Some("3.39"))])))
        .then([OrderReturned(back)]);
}

#[test]
fn goods_come_back_bit_by_bit_and_no_more_than_was_bought() {
    let back = |quantity| OrderReturned(undoing("too small", [line("LANTERN", quantity, "2.55")]));
    let bring = |quantity| Return(brought_back([("LANTERN", quantity, None)]));
    delivered()
        .when(bring(4))
        .then([back(4)])
        .when(bring(3))
        .refused(
            "the order has not so many of LANTERN left to bring back: 1 too many at that price",
        )
        .when(bring(2))
        .then([back(2)])
        .when(bring(1))
        .refused(
            "the order has not so many of LANTERN left to bring back: 1 too many at that price",
        );
}

#[test]
fn of_a_product_bought_at_two_prices_the_one_that_is_named_comes_back() {
    let lines = [line("HEART", 5, "3.39"), line("HEART", 5, "2.95")];
    let delivered = || {
        given::<Order>([OrderPlaced(sale(lines.clone())), OrderConfirmed])
            .and([OrderShipped, OrderDelivered])
    };
    let back = |lines: Vec<_>| OrderReturned(undoing("too small", lines));
    delivered()
        .when(Return(brought_back([("HEART", 2, Some("2.95"))])))
        .then([back(vec![line("HEART", 2, "2.95")])])
        .when(Return(brought_back([("HEART", 4, Some("2.95"))])))
        .refused("the order has not so many of HEART left to bring back: 1 too many at that price");
    delivered()
        .when(Return(brought_back([("HEART", 7, None)])))
        .then([back(vec![line("HEART", 5, "3.39"), line("HEART", 2, "2.95")])]);
}

#[test]
fn what_was_never_bought_cannot_come_back() {
    delivered().when(Return(brought_back([("ROCKET", 1, None)]))).refused(
        "the order has not so many of ROCKET left to bring back: 1 too many at that price",
    );
    delivered()
        .when(Return(brought_back([("HEART", 0, None)])))
        .refused("the quantity of HEART is not 1 to 1000000, but 0");
    delivered().when(Return(brought_back([]))).refused("an order has at least one line");
}

#[test]
fn a_charge_may_be_given_back_too() {
    delivered()
        .when(Return(brought_back([("POST", 1, None)])))
        .then([OrderReturned(undoing("too small", [charge("POST", "18.00")]))]);
}

#[test]
fn a_command_with_a_field_that_nobody_knows_is_not_a_command() {
    let read = |text: &str| serde_json::from_str::<Command>(text);
    read(r#"{"Cancel":{"reason":"late"}}"#).unwrap();
    for wrong in [
        r#"{"Cancel":{"reason":"late","when":"now"}}"#,
        r#"{"Place":{"currency":"GBP","custommer":"ada","lines":[]}}"#,
        r#"{"Place":{"currency":"pounds","lines":[]}}"#,
        r#"{"Place":{"currency":"GBP","lines":[{"product":"A","quantity":1,"unitPrice":2.55}]}}"#,
        r#"{"Place":{"currency":"GBP","lines":[{"product":"A","quantity":-1,"unitPrice":"1"}]}}"#,
        r#"{"Place":{"currency":"GBP","on":"yesterday","lines":[]}}"#,
    ] {
        read(wrong).unwrap_err();
    }
}

#[test]
fn the_events_of_an_order_are_named_as_they_are_stored() {
    let names = [
        (serde_json::to_value(Event::OrderConfirmed).unwrap(), "OrderConfirmed"),
        (serde_json::to_value(OrderShipped).unwrap(), "OrderShipped"),
        (serde_json::to_value(OrderDelivered).unwrap(), "OrderDelivered"),
    ];
    for (written, name) in names {
        assert_eq!(written, name);
    }
    for (event, name) in [
        (OrderPlaced(sale(lines())), "OrderPlaced"),
        (OrderCancelled(undoing("x", lines())), "OrderCancelled"),
        (OrderReturned(undoing("x", lines())), "OrderReturned"),
        (OrderPlacementFailed(undoing("x", lines())), "OrderPlacementFailed"),
    ] {
        assert!(serde_json::to_value(event).unwrap().get(name).is_some());
    }
}
