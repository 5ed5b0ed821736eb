use std::time::Duration;

use order::balance::PAYMENT_TIMEOUT;
use order::bill::{Bill, Charge};
use order::fulfilment::Fulfilment;
use order::heard::Heard::{Order as InOrder, Payment as InPayment};
use order::order::Command as ToOrder;
use order::order::Event::{
    OrderCancelled, OrderConfirmed, OrderLinesAdded, OrderPlaced, OrderReturned, OrderShipped,
};
use order::payment::Command as ToPayment;
use order::payment::Event::{PaymentExpired, PaymentRequested};
use skyfold::testing::saga;

use crate::say::{charge, gbp, later_sale, line, money, part, sale, undoing};
use crate::scene::*;

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
    story = story.hears("stock-P000", reserved(1)).asks((100..150).map(ask));
    for nth in 1..149 {
        story = story.hears(&format!("stock-{}", product(nth)), reserved(1)).asks([]);
    }
    let back = |nth| release(&product(nth), 1);
    story = story
        .hears("order-42", InOrder(OrderCancelled(undoing("late", lines))))
        .asks((0..100).map(back));
    story = story.hears("stock-P000", released(1)).asks((100..149).map(back));
    // The last reservation arrives after the order is off.
    story = story.hears("stock-P149", reserved(1)).asks([back(149)]);
    for nth in 1..149 {
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
fn an_order_fails_once_every_stock_has_answered() {
    just_placed()
        .hears("stock-HEART", refused(2))
        .asks([])
        .goes_on()
        .hears("stock-LANTERN", reserved(6))
        .asks([fail(NOT_ENOUGH_HEARTS)])
        .hears("order-42", failed())
        .asks([release("LANTERN", 6)])
        .goes_on()
        .hears("stock-LANTERN", released(6))
        .has_ended();
}

#[test]
fn an_order_of_which_everything_is_refused_fails_once() {
    just_placed()
        .hears("stock-HEART", refused(2))
        .asks([])
        .hears("stock-LANTERN", refused(6))
        .asks([fail(NOT_ENOUGH_HEARTS)])
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
fn a_payment_that_is_answered_is_waited_for_no_longer() {
    confirmed().waits(PAYMENT_TIMEOUT).sends([]);
}

#[test]
fn a_payment_that_is_approved_too_late_is_given_back() {
    all_reserved()
        .hears("payment-42", InPayment(PaymentExpired))
        .hears("order-42", failed())
        .hears("stock-HEART", released(2))
        .hears("stock-LANTERN", released(6))
        .has_ended()
        .hears("payment-42", authorized())
        .asks([keep_at_most("0.00")])
        .goes_on()
        .hears("payment-42", refunded("40.08"))
        .asks([])
        .has_ended();
}
