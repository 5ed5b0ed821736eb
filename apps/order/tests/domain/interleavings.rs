//! The saga among the deciders, whose commands and events reach each other in any order.

use std::collections::{BTreeMap, HashMap};

use order::bill::Charge;
use order::fulfilment::Fulfilment;
use order::gateway::GatewayAnswer;
use order::heard::Heard;
use order::level::Level;
use order::order::{Command as ToOrder, Event as OfOrder, Order};
use order::payment::{Command as ToPayment, Event as OfPayment, Payment};
use order::stock::{Command as ToStock, Stock};
use order::{Money, Status};
use proptest::prelude::*;
use serde_json::Value;
use skyfold::{
    CommandId, Decider, Effect, Metadata, RecordedEvent, Saga, StreamId, StreamName, Version,
};
use time::OffsetDateTime;

use crate::say::{basket, because, brought_back, charge, id, line, money};

/// What may be given to somebody, by the saga or from outside.
#[derive(Clone, Debug)]
enum Given {
    Order(ToOrder),
    Stock(StreamId, ToStock),
    Payment(ToPayment),
}

/// One order, its stock, its payment and its saga.
#[derive(Default)]
struct World {
    order: <Order as Decider>::State,
    status: Status,
    stock: BTreeMap<StreamId, Level>,
    payment: <Payment as Decider>::State,
    saga: <Fulfilment as Saga>::State,
    /// What the gateway says when it is asked.
    answer: Option<GatewayAnswer>,
    /// Commands that the saga gave and nobody has taken yet.
    given: Vec<Given>,
    /// What happened in each stream and the saga has not heard.
    unheard: BTreeMap<StreamName, Vec<Heard>>,
    versions: HashMap<StreamName, Version>,
    kept: BTreeMap<StreamId, i64>,
    /// Authorized less refunded.
    paid: Money,
    /// Sold less taken back.
    sold: Money,
    captured: Option<Money>,
    has_expired: bool,
}

impl World {
    /// Lets somebody take a command.
    fn take(&mut self, given: Given) {
        match given {
            Given::Order(command) => {
                for event in Order::decide(&self.order, command).unwrap_or_default() {
                    Order::evolve(&mut self.order, &event);
                    self.status = self.status.after(&event);
                    self.count(&event);
                    self.happen("order-42", Heard::Order(event));
                }
            }
            Given::Stock(product, command) => {
                let level = self.stock.entry(product.clone()).or_default();
                let events = Stock::decide(level, command).unwrap_or_default();
                for event in events {
                    Stock::evolve(self.stock.get_mut(&product).unwrap(), &event);
                    self.happen(&format!("stock-{product}"), Heard::Stock(event));
                }
            }
            Given::Payment(command) => {
                let command = match command {
                    ToPayment::Authorize(Charge { bill, .. }) => {
                        ToPayment::Authorize(Charge { bill, answer: self.answer.clone() })
                    }
                    command => command,
                };
                for event in Payment::decide(&self.payment, command).unwrap_or_default() {
                    Payment::evolve(&mut self.payment, &event);
                    match &event {
                        OfPayment::PaymentAuthorized(a) => {
                            self.paid = add(self.paid, a.bill.amount)
                        }
                        OfPayment::PaymentRefunded(a) => {
                            self.paid = add(self.paid, a.amount.negated())
                        }
                        OfPayment::PaymentCaptured(a) => self.captured = Some(a.amount),
                        OfPayment::PaymentExpired => self.has_expired = true,
                        _ => {}
                    }
                    self.happen("payment-42", Heard::Payment(event));
                }
            }
        }
    }

    fn count(&mut self, event: &OfOrder) {
        let undoing = order::undoing::Undoing::of(event);
        if let OfOrder::OrderPlaced(sale) = event {
            self.sold = sale.bill.amount;
            for (product, quantity) in order::line::goods(sale.all_lines()) {
                self.kept.insert(product, quantity.into());
            }
        }
        if let Some(undoing) = undoing {
            self.sold = add(self.sold, undoing.amount.negated());
            for (product, quantity) in order::line::goods(&undoing.lines) {
                *self.kept.get_mut(&product).unwrap() -= i64::from(quantity);
            }
        }
    }

    fn happen(&mut self, stream: &str, event: Heard) {
        self.unheard.entry(stream.parse().unwrap()).or_default().push(event);
    }

    /// Lets the saga hear the next event of a stream.
    fn hear(&mut self, stream: &StreamName) {
        let events = self.unheard.get_mut(stream).unwrap();
        let data = events.remove(0);
        if events.is_empty() {
            self.unheard.remove(stream);
        }
        let version = self.versions.entry(stream.clone()).or_default();
        *version = version.next();
        let event = RecordedEvent {
            stream: stream.clone(),
            version: *version,
            event_type: "X".into(),
            schema: 1,
            time: OffsetDateTime::UNIX_EPOCH,
            command: CommandId::new("x").unwrap(),
            metadata: Metadata::default(),
            data,
        };
        if Fulfilment::correlate(&event).is_some() {
            let effects = Fulfilment::react(&mut self.saga, &event);
            self.given.extend(effects.iter().map(given));
        }
    }

    /// Whether the saga waits for an answer to something that it asked for.
    fn waits(&self) -> bool {
        let is_answered = |given: &Given| match given {
            Given::Stock(..) => true,
            // A payment that has expired gives back on its own what it still gets.
            Given::Payment(ToPayment::Authorize(_)) => !self.has_expired,
            Given::Payment(ToPayment::Expire) => false,
            // What has been done by hand meanwhile changes nothing any more.
            Given::Payment(command) => {
                !Payment::decide(&self.payment, command.clone()).is_ok_and(|e| e.is_empty())
            }
            Given::Order(_) => false,
        };
        self.given.iter().any(is_answered)
    }
}

fn add(one: Money, other: Money) -> Money {
    one.checked_add(other).unwrap()
}

/// What an effect asks of whom.
fn given(effect: &Effect) -> Given {
    let effect = serde_json::to_value(effect).unwrap();
    let command = effect["d"].clone();
    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }
    match effect["c"].as_str().unwrap() {
        "order" => Given::Order(read(command)),
        "payment" => Given::Payment(read(command)),
        _ => Given::Stock(read(effect["i"].clone()), read(command)),
    }
}

/// What people do meanwhile, each at any time.
fn any_doing() -> impl Strategy<Value = Given> {
    prop_oneof![
        2 => Just(Given::Order(ToOrder::Cancel(because("late")))),
        3 => Just(Given::Order(ToOrder::Ship)),
        3 => Just(Given::Order(ToOrder::Deliver)),
        2 => Just(Given::Order(ToOrder::Return(brought_back([("HEART", 1, None)])))),
        1 => Just(Given::Order(ToOrder::Return(brought_back([
            ("LANTERN", 6, None),
            ("POST", 1, None),
        ])))),
        1 => Just(Given::Order(ToOrder::Fail(because("by hand")))),
        1 => Just(Given::Payment(ToPayment::Answer(yes()))),
        1 => Just(Given::Payment(ToPayment::Expire)),
        1 => Just(Given::Payment(ToPayment::Capture)),
    ]
}

/// Part of the money, all that the goods cost, or all of it.
fn any_refund() -> impl Strategy<Value = Given> {
    prop_oneof![Just("0.08"), Just("18.00"), Just("22.08"), Just("40.08")].prop_map(|text| {
        Given::Payment(ToPayment::Refund(order::bill::Amount { amount: money(text) }))
    })
}

fn yes() -> GatewayAnswer {
    GatewayAnswer::Approved { reference: "R1".into() }
}

fn any_answer() -> impl Strategy<Value = Option<GatewayAnswer>> {
    let reason = "no money".to_owned();
    prop_oneof![
        3 => Just(Some(yes())),
        1 => Just(Some(GatewayAnswer::Declined(order::bill::Decline { reason }))),
        1 => Just(None),
    ]
}

/// A world in which an order has just been placed, and some of the stock may be missing.
fn world(answer: Option<GatewayAnswer>, hearts: u32, lanterns: u32) -> World {
    let mut world = World { answer, ..World::default() };
    for (product, available) in [("HEART", hearts), ("LANTERN", lanterns)] {
        world.stock.insert(id(product), Level { available, reserved: 0 });
    }
    let lines = vec![line("LANTERN", 6, "2.55"), line("HEART", 2, "3.39"), charge("POST", "18.00")];
    world.take(Given::Order(ToOrder::Place(basket(lines))));
    world
}

/// Lets everything happen, in the order that `choices` say.
fn run(world: &mut World, mut doings: Vec<Given>, choices: &[u16]) -> Result<(), TestCaseError> {
    for choice in choices.iter().cycle().take(1_000) {
        let streams: Vec<_> = world.unheard.keys().cloned().collect();
        let count = streams.len() + world.given.len() + doings.len();
        if count == 0 {
            return Ok(());
        }
        match usize::from(*choice) % count {
            nth if nth < streams.len() => world.hear(&streams[nth]),
            nth if nth < streams.len() + world.given.len() => {
                let given = world.given.remove(nth - streams.len());
                world.take(given);
            }
            nth => {
                let doing = doings.remove(nth - streams.len() - world.given.len());
                world.take(doing);
            }
        }
        let has_ended = Fulfilment::has_ended(&world.saga);
        prop_assert!(!(has_ended && world.waits()), "it ended while it waits: {:?}", world.given);
    }
    prop_assert!(false, "it goes on for ever");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_things_come_it_ends_and_nothing_is_lost(
        answer in any_answer(),
        (hearts, lanterns) in (1..3_u32, 5..7_u32),
        doings in prop::collection::vec(any_doing(), 0..6),
        choices in prop::collection::vec(any::<u16>(), 40..200),
    ) {
        let mut world = world(answer, hearts, lanterns);
        run(&mut world, doings, &choices)?;

        prop_assert!(Fulfilment::has_ended(&world.saga), "it never ends: {:?}", world.saga);
        for (product, level) in &world.stock {
            let kept = world.kept[product];
            prop_assert_eq!(i64::from(level.reserved), kept, "of {}", product);
            let all = if product.as_str() == "HEART" { hearts } else { lanterns };
            prop_assert_eq!(level.available + level.reserved, all, "of {}", product);
        }
        prop_assert_eq!(world.paid, world.sold, "paid, and to be paid");
        let is_out = matches!(world.status, Status::Shipped | Status::Delivered | Status::Returned);
        prop_assert!(!is_out || world.captured.is_some(), "the money was not taken");
    }

    /// Whoever gives money back by hand answers for it; the transaction ends all the same, and
    /// gives back no more than there is.
    #[test]
    fn a_refund_by_hand_at_any_time_leaves_nothing_unfinished(
        answer in any_answer(),
        (hearts, lanterns) in (1..3_u32, 5..7_u32),
        doings in prop::collection::vec(any_doing(), 0..5),
        refunds in prop::collection::vec(any_refund(), 1..4),
        choices in prop::collection::vec(any::<u16>(), 40..200),
    ) {
        let mut world = world(answer, hearts, lanterns);
        run(&mut world, [doings, refunds].concat(), &choices)?;

        prop_assert!(Fulfilment::has_ended(&world.saga), "it never ends: {:?}", world.saga);
        for (product, level) in &world.stock {
            prop_assert_eq!(i64::from(level.reserved), world.kept[product], "of {}", product);
        }
        prop_assert!(world.paid <= world.sold && world.paid >= Money::ZERO, "{}", world.paid);
        let is_out = matches!(world.status, Status::Shipped | Status::Delivered | Status::Returned);
        prop_assert!(!is_out || world.captured.is_some(), "the money was not taken");
    }

    /// Whoever confirms an order by hand answers for its stock and payment, but not for those of
    /// others.
    #[test]
    fn an_order_that_is_confirmed_by_hand_ends_too(
        answer in any_answer(),
        (hearts, lanterns) in (1..3_u32, 5..7_u32),
        doings in prop::collection::vec(any_doing(), 0..4),
        choices in prop::collection::vec(any::<u16>(), 40..200),
    ) {
        let mut world = world(answer, hearts, lanterns);
        let doings = [doings, vec![Given::Order(ToOrder::Confirm)]].concat();
        run(&mut world, doings, &choices)?;

        prop_assert!(Fulfilment::has_ended(&world.saga), "it never ends: {:?}", world.saga);
        for (product, level) in &world.stock {
            let kept = world.kept[product];
            prop_assert!(i64::from(level.reserved) <= kept, "of {}", product);
        }
        prop_assert!(world.paid == world.sold || world.paid == Money::ZERO);
    }
}

/// A refund by hand leaves less to be given back, and the saga knows.
#[test]
fn a_refund_by_hand_is_not_given_again() {
    let mut world = world(Some(yes()), 2, 6);
    let choices = [0];
    run(&mut world, vec![], &choices).unwrap();
    assert_eq!((world.status, world.paid), (Status::Confirmed, money("40.08")));
    let refund = ToPayment::Refund(order::bill::Amount { amount: money("0.08") });
    world.take(Given::Payment(refund));
    run(&mut world, vec![], &choices).unwrap();
    world.take(Given::Order(ToOrder::Cancel(because("late"))));
    run(&mut world, vec![], &choices).unwrap();
    assert!(Fulfilment::has_ended(&world.saga));
    assert_eq!(world.paid, Money::ZERO);
    assert!(world.stock.values().all(|level| level.reserved == 0));
}
