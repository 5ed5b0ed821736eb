use order::fulfilment::Fulfilment;
use order::heard::Heard::{Order as InOrder, Payment as InPayment, Stock as InStock};
use order::level::Pieces;
use order::order::Command as ToOrder;
use order::order::Event::{OrderConfirmed, OrderDelivered, OrderReturned, OrderShipped};
use order::payment::Command as ToPayment;
use order::payment::Event::{PaymentCaptured, PaymentExpired};
use order::stock::Event::StockReceived;
use skyfold::testing::saga;

use crate::say::{charge, line, undoing};
use crate::scene::*;

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
        .asks([keep_at_most("0.00")])
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
        .asks([release("HEART", 2), release("LANTERN", 6), keep_at_most("0.00")])
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
        .asks([release("HEART", 2), release("LANTERN", 6), keep_at_most("0.00")])
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
        .asks([release("HEART", 1), release("LANTERN", 6), keep_at_most("21.39")])
        .hears("order-42", InOrder(OrderReturned(rest)))
        .asks([keep_at_most("0.00")])
        .hears("stock-HEART", released(1))
        .asks([release("HEART", 1)])
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
        .asks([release("HEART", 2), release("LANTERN", 6), keep_at_most("0.00")])
        .hears("payment-42", refunded("40.08"))
        // Asked twice, it is taken once.
        .asks([to_payment(ToPayment::Capture)])
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
        .asks([release("HEART", 2), keep_at_most("0.00")])
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
fn what_was_reserved_on_nobodys_request_goes_back() {
    confirmed()
        .hears("stock-HEART", reserved(1))
        .asks([release("HEART", 1)])
        .hears("stock-STAR", refused(1))
        .asks([])
        .goes_on()
        .hears("stock-HEART", released(1))
        .has_ended();
}

#[test]
fn stock_that_concerns_no_order_is_ignored() {
    let pieces = Pieces { quantity: 3, reason: String::new() };
    saga::<Fulfilment>().ignores("stock-HEART", InStock(StockReceived(pieces))).has_ended();
}
