use order::Money;
use order::bill::{Amount, Authorization, Bill, Charge, Decline};
use order::gateway::GatewayAnswer::{self, Approved, Declined};
use order::payment::Command::{Answer, Authorize, Capture, Expire, KeepAtMost, Refund};
use order::payment::Event::{
    PaymentAuthorized, PaymentCaptured, PaymentDeclined, PaymentExpired, PaymentRefunded,
    PaymentRequested,
};
use order::payment::{Command, Event, Payment};
use proptest::prelude::*;
use skyfold::Decider;
use skyfold::testing::{Given, given};

use crate::say::{gbp, money};

fn bill(amount: &str) -> Bill {
    Bill { amount: money(amount), currency: gbp() }
}

fn authorize(amount: &str, answer: Option<GatewayAnswer>) -> Command {
    Authorize(Charge { bill: bill(amount), answer })
}

fn yes() -> GatewayAnswer {
    Approved { reference: "R1".into() }
}

fn no() -> GatewayAnswer {
    Declined(decline())
}

fn decline() -> Decline {
    Decline { reason: "no money".into() }
}

fn approved(amount: &str) -> Event {
    PaymentAuthorized(Authorization { bill: bill(amount), reference: "R1".into() })
}

fn amount(text: &str) -> Amount {
    Amount { amount: money(text) }
}

fn requested() -> Given<Payment> {
    given([PaymentRequested(bill("10.00"))])
}

fn authorized() -> Given<Payment> {
    given([approved("10.00")])
}

fn declined() -> Given<Payment> {
    given([PaymentDeclined(decline())])
}

fn expired() -> Given<Payment> {
    requested().and([PaymentExpired])
}

#[test]
fn the_answer_of_the_gateway_decides() {
    given::<Payment>([]).when(authorize("10.00", Some(yes()))).then([approved("10.00")]);
    given::<Payment>([]).when(authorize("10.00", Some(no()))).then([PaymentDeclined(decline())]);
    given::<Payment>([]).when(authorize("10.00", None)).then([PaymentRequested(bill("10.00"))]);
}

#[test]
fn the_answer_may_come_later() {
    requested().when(Answer(yes())).then([approved("10.00")]);
    requested().when(Answer(no())).then([PaymentDeclined(decline())]);
    requested().when(authorize("10.00", Some(yes()))).then([approved("10.00")]);
}

#[test]
fn an_answer_is_waited_for_until_the_time_is_up() {
    requested().when(Expire).then([PaymentExpired]).when(Expire).then([]);
}

#[test]
fn the_time_may_be_up_before_the_payment_is_asked_for() {
    given::<Payment>([])
        .when(Expire)
        .then([PaymentExpired])
        .when(authorize("10.00", Some(yes())))
        .then([approved("10.00"), PaymentRefunded(amount("10.00"))]);
    given::<Payment>([]).and([PaymentExpired]).when(authorize("10.00", Some(no()))).then([]);
    given::<Payment>([]).and([PaymentExpired]).when(authorize("10.00", None)).then([]);
}

#[test]
fn what_is_approved_too_late_is_recorded_and_given_back() {
    expired()
        .when(Answer(yes()))
        .then([approved("10.00"), PaymentRefunded(amount("10.00"))])
        .when(Refund(amount("0.01")))
        .refused("only 0.00 can be given back, not 0.01");
    expired().when(Answer(no())).then([]);
}

#[test]
fn what_was_done_before_is_accepted_and_changes_nothing() {
    requested().when(authorize("10.00", None)).then([]);
    for given in [authorized, declined] {
        given().when(authorize("10.00", Some(yes()))).then([]);
        given().when(Answer(yes())).then([]);
        given().when(Answer(no())).then([]);
        given().when(Expire).then([]);
    }
    authorized().when(Capture).then([PaymentCaptured(amount("10.00"))]).when(Capture).then([]);
}

#[test]
fn a_command_that_comes_too_early_or_too_late_is_refused() {
    let refused = |given: Given<Payment>, paid: &str, commands: Vec<Command>| {
        let reason = format!("this is not possible while the payment is {paid}");
        commands.into_iter().fold(given, |given, command| given.when(command).refused(&reason));
    };
    let refund = || Refund(amount("1.00"));
    refused(given([]), "not requested", vec![Answer(yes()), Capture, refund()]);
    refused(requested(), "requested", vec![Capture, refund()]);
    refused(declined(), "declined", vec![Capture, refund()]);
    refused(expired(), "expired", vec![Capture, refund()]);
}

#[test]
fn nothing_and_less_are_not_amounts() {
    for wrong in ["0.00", "-1.00"] {
        let reason = format!("{wrong} is not an amount to pay");
        given::<Payment>([]).when(authorize(wrong, Some(yes()))).refused(&reason);
        authorized().when(Refund(amount(wrong))).refused(&reason);
    }
}

#[test]
fn no_more_is_given_back_than_is_there() {
    authorized()
        .when(Refund(amount("10.01")))
        .refused("only 10.00 can be given back, not 10.01")
        .when(Refund(amount("4.00")))
        .then([PaymentRefunded(amount("4.00"))])
        .when(Capture)
        .then([PaymentCaptured(amount("6.00"))])
        .when(Refund(amount("6.01")))
        .refused("only 6.00 can be given back, not 6.01")
        .when(Refund(amount("6.00")))
        .then([PaymentRefunded(amount("6.00"))]);
}

#[test]
fn what_is_beyond_what_an_order_comes_to_is_given_back_once() {
    authorized()
        .when(KeepAtMost(amount("6.00")))
        .then([PaymentRefunded(amount("4.00"))])
        .when(KeepAtMost(amount("6.00")))
        .then([])
        .when(Refund(amount("1.00")))
        .then([PaymentRefunded(amount("1.00"))])
        .when(KeepAtMost(amount("2.00")))
        .then([PaymentRefunded(amount("3.00"))])
        .when(KeepAtMost(amount("5.00")))
        .then([])
        .when(KeepAtMost(amount("-1.00")))
        .then([PaymentRefunded(amount("2.00"))]);
    for given in [given([]), requested(), declined(), expired()] {
        given.when(KeepAtMost(amount("0.00"))).then([]);
    }
}

#[test]
fn what_was_given_back_whole_is_captured_as_nothing() {
    authorized()
        .and([PaymentRefunded(amount("10.00"))])
        .when(Capture)
        .then([PaymentCaptured(amount("0.00"))]);
}

fn any_command() -> impl Strategy<Value = Command> {
    let cents = prop_oneof![Just("0.00"), Just("-5.00"), Just("3.33"), Just("10.00")];
    let answer = prop_oneof![Just(None), Just(Some(yes())), Just(Some(no()))];
    (0..6, cents, answer).prop_map(|(kind, cents, answer)| match kind {
        0 => authorize(cents, answer),
        1 => Answer(answer.unwrap_or_else(yes)),
        2 => Expire,
        3 => Capture,
        4 => KeepAtMost(amount(cents)),
        _ => Refund(amount(cents)),
    })
}

proptest! {
    #[test]
    fn whatever_is_asked_money_adds_up(commands in prop::collection::vec(any_command(), 0..50)) {
        let mut state = <Payment as Decider>::State::default();
        let (mut given, mut refunded, mut captured) = (Money::ZERO, Money::ZERO, None);
        for command in commands {
            for event in Payment::decide(&state, command).unwrap_or_default() {
                Payment::evolve(&mut state, &event);
                match event {
                    PaymentAuthorized(authorization) => {
                        prop_assert_eq!(given, Money::ZERO, "money is set aside once");
                        given = authorization.bill.amount;
                    }
                    PaymentRefunded(Amount { amount }) => {
                        prop_assert!(amount > Money::ZERO);
                        refunded = refunded.checked_add(amount).unwrap();
                    }
                    PaymentCaptured(Amount { amount }) => {
                        prop_assert_eq!(captured, None, "money is taken once");
                        prop_assert_eq!(refunded.checked_add(amount), Some(given));
                        captured = Some(amount);
                    }
                    PaymentRequested(_) | PaymentDeclined(_) | PaymentExpired => {}
                }
            }
            prop_assert!(refunded <= given, "{refunded} of {given} was given back");
        }
    }
}
