use std::time::Duration;

use order::bill::{Amount, Authorization, Bill, Charge, Decline};
use order::fulfilment::Heard::{self, Order as InOrder, Payment as InPayment, Stock as InStock};
use order::fulfilment::{Fulfilment, PAYMENT_TIMEOUT};
use order::level::{Pieces, Share};
use order::line::Line;
use order::order::Event::{
    OrderCancelled, OrderConfirmed, OrderDelivered, OrderLinesAdded, OrderPlaced,
    OrderPlacementFailed, OrderReturned, OrderShipped,
};
use order::order::{Command as ToOrder, Order};
use order::payment::Event::{
    PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentExpired, PaymentRefunded,
    PaymentRequested,
};
use order::payment::{Command as ToPayment, Payment};
use order::stock::Event::{ReservationRefused, StockReceived, StockReleased, StockReserved};
use order::stock::{Command as ToStock, Stock};
use skyfold::Effect;
use skyfold::testing::{Story, saga};

use crate::say::{because, charge, gbp, id, later_sale, line, money, part, sale, undoing};

fn lines() -> Vec<Line> {
    vec![line("LANTERN", 6, "2.55"), line("HEART", 2, "3.39"), charge("POST", "18.00")]
}

fn placed() -> Heard {
    InOrder(OrderPlaced(sale(lines())))
}

fn cancelled() -> Heard {
    InOrder(OrderCancelled(undoing("late", lines())))
}

fn failed() -> Heard {
    InOrder(OrderPlacementFailed(undoing("no stock", lines())))
}

fn share(quantity: u32) -> Share {
    Share { order: id("42"), quantity }
}

fn reserve(product: &str, quantity: u32) -> Effect {
    Effect::send::<Stock>(&id(product), ToStock::Reserve(share(quantity)))
}

fn release(product: &str, quantity: u32) -> Effect {
    Effect::send::<Stock>(&id(product), ToStock::Release(share(quantity)))
}

fn to_payment(command: ToPayment) -> Effect {
    Effect::send::<Payment>(&id("42"), command)
}

fn to_order(command: ToOrder) -> Effect {
    Effect::send::<Order>(&id("42"), command)
}

fn reserved(quantity: u32) -> Heard {
    InStock(StockReserved(share(quantity)))
}

fn refused(quantity: u32) -> Heard {
    InStock(ReservationRefused(share(quantity)))
}

fn released(quantity: u32) -> Heard {
    InStock(StockReleased(share(quantity)))
}

fn bill() -> Bill {
    Bill { amount: money("40.08"), currency: gbp() }
}

fn authorized() -> Heard {
    InPayment(PaymentAuthorized(Authorization { bill: bill(), reference: "R1".into() }))
}

fn declined() -> Heard {
    InPayment(PaymentDeclined(Decline { reason: "no money".into() }))
}

fn amount(text: &str) -> Amount {
    Amount { amount: money(text) }
}

fn refunded(text: &str) -> Heard {
    InPayment(PaymentRefunded(amount(text)))
}

fn authorize() -> [Effect; 2] {
    let charge = Charge { bill: bill(), answer: None };
    [to_payment(ToPayment::Authorize(charge)), expire()]
}

fn expire() -> Effect {
    to_payment(ToPayment::Expire).after(PAYMENT_TIMEOUT)
}

fn refund(text: &str) -> Effect {
    to_payment(ToPayment::Refund(amount(text)))
}

fn fail(reason: &str) -> Effect {
    to_order(ToOrder::Fail(because(reason)))
}

const NOT_ENOUGH_HEARTS: &str = "there is not enough of HEART in stock";

/// An order that was just placed.
fn just_placed() -> Story<Fulfilment> {
    saga().hears("order-42", placed()).asks([reserve("HEART", 2), reserve("LANTERN", 6)])
}

/// An order whose goods are reserved.
fn all_reserved() -> Story<Fulfilment> {
    just_placed()
        .hears("stock-LANTERN", reserved(6))
        .asks([])
        .hears("stock-HEART", reserved(2))
        .asks(authorize())
}

/// An order that is reserved, paid for and confirmed.
fn confirmed() -> Story<Fulfilment> {
    all_reserved()
        .hears("payment-42", authorized())
        .asks([to_order(ToOrder::Confirm)])
        .goes_on()
        .hears("order-42", InOrder(OrderConfirmed))
        .asks([])
        .has_ended()
}

/// An order that was shipped and paid.
fn shipped() -> Story<Fulfilment> {
    confirmed()
        .hears("order-42", InOrder(OrderShipped))
        .asks([to_payment(ToPayment::Capture)])
        .goes_on()
        .hears("payment-42", InPayment(PaymentCaptured(amount("40.08"))))
        .asks([])
        .has_ended()
}

#[test]
fn an_order_is_reserved_then_paid_then_confirmed() {
    confirmed();
}

#[test]
fn a_product_on_two_lines_is_reserved_once_and_a_charge_is_not() {
    let lines = [line("HEART", 1, "3.39"), line("HEART", 4, "2.95"), charge("POST", "18.00")];
    saga::<Fulfilment>()
        .hears("order-42", InOrder(OrderPlaced(sale(lines))))
        .asks([reserve("HEART", 5)])
        .goes_on();
}

#[test]
fn lines_that_came_in_parts_are_reserved_when_the_order_is_placed() {
    let (early, late) =
        ([line("HEART", 1, "1.00"), line("STAR", 1, "1.00")], [line("HEART", 2, "1.00")]);
    saga::<Fulfilment>()
        .ignores("order-42", InOrder(OrderLinesAdded(part(early.clone()))))
        .hears("order-42", InOrder(OrderPlaced(later_sale(early, late))))
        .asks([reserve("HEART", 3), reserve("STAR", 1)]);
}

#[test]
fn an_order_of_charges_alone_is_paid_at_once() {
    let bill = Bill { amount: money("18.00"), currency: gbp() };
    let charged = Charge { bill, answer: None };
    saga::<Fulfilment>()
        .hears("order-42", InOrder(OrderPlaced(sale([charge("POST", "18.00")]))))
        .asks([to_payment(ToPayment::Authorize(charged)), expire()]);
}

#[test]
fn an_order_that_costs_nothing_is_confirmed_and_shipped_without_a_payment() {
    saga::<Fulfilment>()
        .hears("order-42", InOrder(OrderPlaced(sale([line("HEART", 1, "0.00")]))))
        .hears("stock-HEART", reserved(1))
        .asks([to_order(ToOrder::Confirm)])
        .hears("order-42", InOrder(OrderConfirmed))
        .hears("order-42", InOrder(OrderShipped))
        .asks([])
        .has_ended()
        .hears("order-42", InOrder(OrderReturned(undoing("x", [line("HEART", 1, "0.00")]))))
        .asks([release("HEART", 1)])
        .hears("stock-HEART", released(1))
        .has_ended();
}

#[test]
fn a_long_order_is_reserved_a_hundred_products_at_a_time() {
    let product = |nth: usize| format!("P{nth:03}");
    let lines: Vec<_> = (0..150).map(|nth| line(&product(nth), 1, "1.00")).collect();
    let ask = |nth| reserve(&product(nth), 1);
    let mut story = saga::<Fulfilment>()
        .hears("order-42", InOrder(OrderPlaced(later_sale(&lines[..100], &lines[100..]))))
        .asks((0..100).map(ask));
    for nth in 0..50 {
        story = story.hears(&format!("stock-{}", product(nth)), reserved(1)).asks([ask(100 + nth)]);
    }
    for nth in 50..149 {
        story = story.hears(&format!("stock-{}", product(nth)), reserved(1)).asks([]);
    }
    let back = |nth| release(&product(nth), 1);
    story = story
        .hears("order-42", InOrder(OrderCancelled(undoing("late", lines))))
        .asks((0..100).map(back));
    for nth in 0..49 {
        story =
            story.hears(&format!("stock-{}", product(nth)), released(1)).asks([back(100 + nth)]);
    }
    // The last reservation arrives after the order is off.
    story = story.hears("stock-P149", reserved(1)).asks([]);
    story = story.hears("stock-P049", released(1)).asks([back(149)]);
    for nth in 50..149 {
        story = story.hears(&format!("stock-{}", product(nth)), released(1)).asks([]).goes_on();
    }
    story.hears("stock-P149", released(1)).asks([]).has_ended();
}

#[test]
fn a_refused_reservation_fails_the_order_and_what_was_reserved_goes_back() {
    just_placed()
        .hears("stock-LANTERN", reserved(6))
        .hears("stock-HEART", refused(2))
        .asks([fail(NOT_ENOUGH_HEARTS)])
        .goes_on()
        .hears("order-42", failed())
        .asks([release("LANTERN", 6)])
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .asks([])
        .has_ended();
}

#[test]
fn what_is_reserved_after_a_refusal_goes_back_too() {
    just_placed()
        .hears("stock-HEART", refused(2))
        .asks([fail(NOT_ENOUGH_HEARTS)])
        .hears("order-42", failed())
        .asks([])
        .goes_on()
        .hears("stock-LANTERN", reserved(6))
        .asks([release("LANTERN", 6)])
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn an_order_of_which_everything_is_refused_fails_once() {
    just_placed()
        .hears("stock-HEART", refused(2))
        .asks([fail(NOT_ENOUGH_HEARTS)])
        .hears("stock-LANTERN", refused(6))
        .asks([])
        .goes_on()
        .hears("order-42", failed())
        .asks([])
        .has_ended();
}

#[test]
fn a_declined_payment_fails_the_order_and_the_goods_go_back() {
    all_reserved()
        .hears("payment-42", declined())
        .asks([fail("the payment was declined: no money")])
        .hears("order-42", failed())
        .asks([release("HEART", 2), release("LANTERN", 6)])
        .hears("stock-HEART", released(2))
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn a_payment_that_is_not_answered_in_time_fails_the_order() {
    all_reserved()
        .ignores("payment-42", InPayment(PaymentRequested(bill())))
        .waits(PAYMENT_TIMEOUT - Duration::from_secs(1))
        .sends([])
        .waits(Duration::from_secs(1))
        .sends([expire()])
        .hears("payment-42", InPayment(PaymentExpired))
        .asks([fail("the payment was not answered in time")])
        .hears("order-42", failed())
        .asks([release("HEART", 2), release("LANTERN", 6)])
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn a_payment_that_is_approved_too_late_is_the_payments_own_affair() {
    all_reserved()
        .hears("payment-42", InPayment(PaymentExpired))
        .hears("order-42", failed())
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .has_ended()
        .hears("payment-42", authorized())
        .asks([])
        .hears("payment-42", refunded("40.08"))
        .asks([])
        .has_ended();
}

#[test]
fn an_order_cancelled_before_anything_is_reserved_gives_back_what_comes() {
    just_placed()
        .hears("order-42", cancelled())
        .asks([])
        .goes_on()
        .hears("stock-HEART", refused(2))
        .asks([])
        .goes_on()
        .hears("stock-LANTERN", reserved(6))
        .asks([release("LANTERN", 6)])
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn an_order_cancelled_between_two_reservations_gives_back_both() {
    just_placed()
        .hears("stock-LANTERN", reserved(6))
        .hears("order-42", cancelled())
        .asks([release("LANTERN", 6)])
        .hears("stock-HEART", reserved(2))
        .asks([release("HEART", 2)])
        .hears("stock-HEART", released(2))
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn an_order_cancelled_while_it_is_being_paid_gives_back_the_goods_and_then_the_money() {
    all_reserved()
        .hears("order-42", cancelled())
        .asks([release("HEART", 2), release("LANTERN", 6)])
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .goes_on()
        .hears("payment-42", authorized())
        .asks([refund("40.08")])
        .goes_on()
        .hears("payment-42", refunded("40.08"))
        .asks([])
        .has_ended();
}

#[test]
fn an_order_cancelled_while_it_is_being_paid_may_not_be_paid_at_all() {
    for outcome in [declined(), InPayment(PaymentExpired)] {
        all_reserved()
            .hears("order-42", cancelled())
            .hears("stock-HEART", released(2))
            .hears("stock-LANTERN", released(6))
            .goes_on()
            .hears("payment-42", outcome)
            .asks([])
            .has_ended();
    }
}

#[test]
fn an_order_cancelled_just_before_it_is_confirmed_gives_everything_back() {
    all_reserved()
        .hears("payment-42", authorized())
        .asks([to_order(ToOrder::Confirm)])
        .hears("order-42", cancelled())
        .asks([release("HEART", 2), release("LANTERN", 6), refund("40.08")])
        .hears("payment-42", refunded("40.08"))
        .hears("stock-HEART", released(2))
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn an_order_cancelled_just_before_it_fails_gives_everything_back_once() {
    just_placed()
        .hears("stock-LANTERN", reserved(6))
        .hears("stock-HEART", refused(2))
        .asks([fail(NOT_ENOUGH_HEARTS)])
        .hears("order-42", cancelled())
        .asks([release("LANTERN", 6)])
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn a_confirmed_order_that_is_cancelled_gives_everything_back() {
    confirmed()
        .hears("order-42", cancelled())
        .asks([release("HEART", 2), release("LANTERN", 6), refund("40.08")])
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .goes_on()
        .hears("payment-42", refunded("40.08"))
        .asks([])
        .has_ended();
}

#[test]
fn what_is_returned_goes_back_on_the_shelf_and_is_refunded() {
    let some = undoing("broken", [line("HEART", 1, "3.39"), line("LANTERN", 6, "2.55")]);
    let rest = undoing("ugly", [line("HEART", 1, "3.39"), charge("POST", "18.00")]);
    shipped()
        .ignores("order-42", InOrder(OrderDelivered))
        .hears("order-42", InOrder(OrderReturned(some)))
        .asks([release("HEART", 1), release("LANTERN", 6), refund("18.69")])
        .hears("order-42", InOrder(OrderReturned(rest)))
        .asks([release("HEART", 1), refund("21.39")])
        .hears("stock-HEART", released(1))
        .hears("stock-HEART", released(1))
        .hears("payment-42", refunded("21.39"))
        .hears("payment-42", refunded("18.69"))
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn what_is_returned_before_the_money_was_taken_is_refunded_all_the_same() {
    confirmed()
        .hears("order-42", InOrder(OrderShipped))
        .asks([to_payment(ToPayment::Capture)])
        .hears("order-42", InOrder(OrderReturned(undoing("ugly", lines()))))
        .asks([release("HEART", 2), release("LANTERN", 6), refund("40.08")])
        .hears("payment-42", refunded("40.08"))
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .goes_on()
        .hears("payment-42", InPayment(PaymentCaptured(amount("0.00"))))
        .asks([])
        .has_ended();
}

#[test]
fn what_somebody_else_gave_back_is_not_given_back_again() {
    confirmed()
        .hears("stock-LANTERN", released(6))
        .asks([])
        .hears("payment-42", refunded("10.08"))
        .asks([])
        .has_ended()
        .hears("order-42", cancelled())
        .asks([release("HEART", 2), refund("30.00")])
        .hears("stock-HEART", released(2))
        .hears("payment-42", refunded("30.00"))
        .has_ended();
}

#[test]
fn what_somebody_else_paid_or_took_is_not_asked_for_again() {
    just_placed()
        .hears("payment-42", authorized())
        .hears("stock-HEART", reserved(2))
        .hears("stock-LANTERN", reserved(6))
        .asks([to_order(ToOrder::Confirm)])
        .hears("order-42", InOrder(OrderConfirmed))
        .hears("payment-42", InPayment(PaymentCaptured(amount("40.08"))))
        .asks([])
        .hears("order-42", InOrder(OrderShipped))
        .asks([])
        .has_ended();
}

#[test]
fn what_was_reserved_on_nobodys_request_is_left_alone() {
    confirmed()
        .hears("stock-HEART", reserved(1))
        .hears("stock-STAR", refused(1))
        .asks([])
        .has_ended();
}

#[test]
fn stock_that_concerns_no_order_is_ignored() {
    let pieces = Pieces { quantity: 3, reason: String::new() };
    saga::<Fulfilment>().ignores("stock-HEART", InStock(StockReceived(pieces))).has_ended();
}
