//! What happens to one order, in the words of the tests of its fulfilment.

use order::balance::PAYMENT_TIMEOUT;
use order::bill::{Amount, Authorization, Bill, Charge, Decline};
use order::fulfilment::Fulfilment;
use order::heard::Heard::{self, Order as InOrder, Payment as InPayment, Stock as InStock};
use order::level::Share;
use order::line::Line;
use order::order::Event::{
    OrderCancelled, OrderConfirmed, OrderPlaced, OrderPlacementFailed, OrderShipped,
};
use order::order::{Command as ToOrder, Order};
use order::payment::Event::{PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentRefunded};
use order::payment::{Command as ToPayment, Payment};
use order::stock::Event::{ReservationRefused, StockReleased, StockReserved};
use order::stock::{Command as ToStock, Stock};
use skyfold::Effect;
use skyfold::testing::{Story, saga};

use crate::say::{because, charge, gbp, id, line, money, sale, undoing};

pub(crate) fn lines() -> Vec<Line> {
    vec![line("LANTERN", 6, "2.55"), line("HEART", 2, "3.39"), charge("POST", "18.00")]
}

pub(crate) fn placed() -> Heard {
    InOrder(OrderPlaced(sale(lines())))
}

pub(crate) fn cancelled() -> Heard {
    InOrder(OrderCancelled(undoing("late", lines())))
}

pub(crate) fn failed() -> Heard {
    InOrder(OrderPlacementFailed(undoing("no stock", lines())))
}

pub(crate) fn share(quantity: u32) -> Share {
    Share { order: id("42"), quantity }
}

pub(crate) fn reserve(product: &str, quantity: u32) -> Effect {
    Effect::send::<Stock>(&id(product), ToStock::Reserve(share(quantity)))
}

pub(crate) fn release(product: &str, quantity: u32) -> Effect {
    Effect::send::<Stock>(&id(product), ToStock::Release(share(quantity)))
}

pub(crate) fn to_payment(command: ToPayment) -> Effect {
    Effect::send::<Payment>(&id("42"), command)
}

pub(crate) fn to_order(command: ToOrder) -> Effect {
    Effect::send::<Order>(&id("42"), command)
}

pub(crate) fn reserved(quantity: u32) -> Heard {
    InStock(StockReserved(share(quantity)))
}

pub(crate) fn refused(quantity: u32) -> Heard {
    InStock(ReservationRefused(share(quantity)))
}

pub(crate) fn released(quantity: u32) -> Heard {
    InStock(StockReleased(share(quantity)))
}

pub(crate) fn bill() -> Bill {
    Bill { amount: money("40.08"), currency: gbp() }
}

pub(crate) fn authorized() -> Heard {
    InPayment(PaymentAuthorized(Authorization { bill: bill(), reference: "R1".into() }))
}

pub(crate) fn declined() -> Heard {
    InPayment(PaymentDeclined(Decline { reason: "no money".into() }))
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount { amount: money(text) }
}

pub(crate) fn refunded(text: &str) -> Heard {
    InPayment(PaymentRefunded(amount(text)))
}

pub(crate) fn authorize() -> [Effect; 2] {
    let charge = Charge { bill: bill(), answer: None };
    [to_payment(ToPayment::Authorize(charge)), expire()]
}

pub(crate) fn expire() -> Effect {
    to_payment(ToPayment::Expire).after(PAYMENT_TIMEOUT).named("payment")
}

pub(crate) fn keep_at_most(text: &str) -> Effect {
    to_payment(ToPayment::KeepAtMost(amount(text)))
}

pub(crate) fn fail(reason: &str) -> Effect {
    to_order(ToOrder::Fail(because(reason)))
}

pub(crate) const NOT_ENOUGH_HEARTS: &str = "there is not enough of HEART in stock";

/// An order that was just placed.
pub(crate) fn just_placed() -> Story<Fulfilment> {
    saga().hears("order-42", placed()).asks([reserve("HEART", 2), reserve("LANTERN", 6)])
}

/// An order whose goods are reserved.
pub(crate) fn all_reserved() -> Story<Fulfilment> {
    just_placed()
        .hears("stock-LANTERN", reserved(6))
        .asks([])
        .hears("stock-HEART", reserved(2))
        .asks(authorize())
}

/// An order that is reserved, paid for and confirmed.
pub(crate) fn confirmed() -> Story<Fulfilment> {
    all_reserved()
        .hears("payment-42", authorized())
        .asks([to_order(ToOrder::Confirm)])
        .goes_on()
        .hears("order-42", InOrder(OrderConfirmed))
        .asks([])
        .has_ended()
}

/// An order that was shipped and paid.
pub(crate) fn shipped() -> Story<Fulfilment> {
    confirmed()
        .hears("order-42", InOrder(OrderShipped))
        .asks([to_payment(ToPayment::Capture)])
        .goes_on()
        .hears("payment-42", InPayment(PaymentCaptured(amount("40.08"))))
        .asks([])
        .has_ended()
}
