//! The order app as a subject: what customers and the warehouse ask of it, and what must hold.

use std::time::Duration;

use fastrand::Rng;
use order::bill::Decline;
use order::fulfilment::Fulfilment;
use order::gateway::{self, GatewayAnswer, SimulatedGateway};
use order::level::Pieces;
use order::line::{Line, LineKind, Returned};
use order::order::{Command, Order};
use order::payment::{self, Payment};
use order::recipient::Recipient;
use order::sale::{Basket, Part};
use order::stock::{self, Stock};
use order::undoing::{Because, BroughtBack};
use order::views::{CustomerOrder, DaySales, OrderSummary, ProductSales, StockLevel};
use order::{Currency, Money};
use skyfold::{App, CommandRequest, Edge, Payload, Personal, Projection, StreamId, StreamName};

use crate::checker::{Balance, Decisions, Sagas, Views};
use crate::evidence::at_once;
use crate::evolved::Evolved;
use crate::faults::spread;
use crate::fragile::Fragile;
use crate::next::Next;
use crate::personal::SECRET;
use crate::plan::{Ask, Size};
use crate::revised::Revised;
use crate::subject::Subject;
use crate::world::START;

/// Orders in a large run: more than a view remembers streams.
const LARGE: std::ops::Range<usize> = 68..90;

/// The order app.
pub(crate) fn subject() -> Subject {
    Subject::new(
        [order::app(), fragile(), revised(), next(), evolved()],
        asks,
        vec![
            Box::new(Decisions::<Order>::new()),
            Box::new(Decisions::<Stock>::new()),
            Box::new(Decisions::<Payment>::with_edge(complete)),
            Box::new(Sagas::<Fulfilment>::new()),
            Box::new(Views::<OrderSummary>::new()),
            Box::new(Views::<CustomerOrder>::new()),
            Box::new(Views::<StockLevel>::new()),
            Box::new(Views::<DaySales>::new()),
            Box::new(Views::<ProductSales>::new()),
            Box::new(Balance),
        ],
        vec![
            Box::new(Views::<Revised<OrderSummary>>::new()),
            Box::new(Views::<Revised<ProductSales>>::new()),
        ],
        OrderSummary::NAME,
    )
}

/// The app with a new revision of a view of one stream, and of one of many streams.
fn revised() -> App {
    order::app().projection::<Revised<OrderSummary>>().projection::<Revised<ProductSales>>()
}

/// The app before anybody has mended what fails on some events.
fn fragile() -> App {
    App::new("order")
        .decider::<Order>()
        .decider::<Stock>()
        .decider_with_edge::<Payment, _>(|command, edge| async move {
            gateway::ask(&SimulatedGateway, command, &edge).await
        })
        .saga::<Fragile<Fulfilment>>()
        .projection::<Fragile<OrderSummary>>()
        .projection::<Fragile<CustomerOrder>>()
        .projection::<Fragile<StockLevel>>()
        .projection::<Fragile<DaySales>>()
        .projection::<Fragile<ProductSales>>()
}

/// The app after a deployment that changes the form of every state.
fn next() -> App {
    App::new("order")
        .decider::<Next<Order>>()
        .decider::<Next<Stock>>()
        .decider_with_edge::<Next<Payment>, _>(|command, edge| async move {
            gateway::ask(&SimulatedGateway, command, &edge).await
        })
        .saga::<Next<Fulfilment>>()
        .projection::<OrderSummary>()
        .projection::<CustomerOrder>()
        .projection::<StockLevel>()
        .projection::<DaySales>()
        .projection::<ProductSales>()
}

/// The app after a deployment that changes the form of every state and of some events.
fn evolved() -> App {
    App::new("order")
        .decider::<Evolved<Next<Order>>>()
        .decider::<Evolved<Next<Stock>>>()
        .decider_with_edge::<Evolved<Next<Payment>>, _>(|command, edge| async move {
            gateway::ask(&SimulatedGateway, command, &edge).await
        })
        .saga::<Evolved<Next<Fulfilment>>>()
        .projection::<Evolved<OrderSummary>>()
        .projection::<Evolved<CustomerOrder>>()
        .projection::<Evolved<StockLevel>>()
        .projection::<Evolved<DaySales>>()
        .projection::<Evolved<ProductSales>>()
}

/// What the edge makes of a payment's command: the gateway gives the same answer whenever it is
/// asked.
fn complete(
    command: payment::Command,
    stream: &StreamName,
    request: &CommandRequest,
) -> payment::Command {
    let edge = Edge { stream: stream.clone(), id: request.id.clone(), now: START };
    at_once(gateway::ask(&SimulatedGateway, command.clone(), &edge)).unwrap_or(command)
}

/// What is asked in one run.
fn asks(rng: &mut Rng, size: Size) -> Vec<Ask> {
    let orders = match size {
        Size::Small => rng.usize(1..=6),
        Size::Large => rng.usize(LARGE),
    };
    let mut shop = Shop { products: rng.usize(1..=3), pace: rng.u32(6..22), size, asks: vec![] };
    for product in 0..shop.products {
        shop.supply(rng, product, orders);
    }
    (0..orders).for_each(|nth| shop.order(rng, nth));
    shop.asks.sort_by_key(|ask| ask.at);
    if size == Size::Small && rng.bool() {
        shop.asks.iter_mut().filter(|_| rng.u32(0..3) > 0).for_each(name_recipient);
    }
    shop.asks
}

/// Says who gets what is ordered, if it is an order of a known customer.
fn name_recipient(ask: &mut Ask) {
    if let Ok(Command::Place(mut basket)) = ask.command.decode()
        && let Some(customer) = basket.customer.clone()
    {
        let name = format!("{SECRET}, {}", ask.stream.id());
        let recipient = Recipient { name, address: "7 Birdcage Walk".into() };
        basket.recipient = Some(Personal::new(customer, recipient));
        ask.command = Payload::encode(&Command::Place(basket)).expect("it has a JSON form");
    }
}

/// Thinks up what is asked.
struct Shop {
    products: usize,
    /// Over which time everything is asked, in powers of two of milliseconds.
    pace: u32,
    size: Size,
    asks: Vec<Ask>,
}

impl Shop {
    /// The warehouse receives and loses pieces of a product.
    fn supply(&mut self, rng: &mut Rng, product: usize, orders: usize) {
        let deliveries = match rng.u32(0..4) {
            0 => rng.usize(4..=12),
            _ => rng.usize(1..=3),
        };
        for _ in 0..deliveries {
            let quantity = rng.u32(1..=3 + 4 * orders as u32 / deliveries as u32);
            let pieces = Pieces { quantity, reason: String::new() };
            let command = match rng.u32(0..6) {
                0 => stock::Command::WriteOff(Pieces { quantity: 1, reason: "broken".into() }),
                _ => stock::Command::Receive(pieces),
            };
            let at = self.moment(rng) / rng.u32(1..=4);
            self.asks.push(Ask::new(at, "stock", &format!("p{product}"), &command));
        }
    }

    /// A customer orders, and things take their course.
    fn order(&mut self, rng: &mut Rng, nth: usize) {
        let (id, mut at) = (format!("o{nth}"), self.moment(rng));
        if rng.u32(0..5) == 0 {
            let part = Command::AddLines(Part { lines: self.lines(rng) });
            self.asks.push(Ask::new(at, "order", &id, &part));
            at += spread(rng, 0..self.pace);
        }
        let basket = self.basket(rng, nth);
        let is_unanswered = basket.lines[0].unit_price == SimulatedGateway::UNANSWERED;
        let place = Command::Place(basket);
        self.asks.push(Ask::new(at, "order", &id, &place));
        let steps = match self.size {
            Size::Small => rng.usize(0..=5),
            Size::Large => rng.usize(0..=1),
        };
        for step in 0..steps {
            at += spread(rng, 4..self.pace);
            let command = self.step(rng, step);
            self.asks.push(Ask::new(at, "order", &id, &command));
        }
        if is_unanswered || rng.u32(0..16) == 0 {
            // An answer may come before or after nobody waits for it any more.
            let answer = payment::Command::Answer(answer(rng));
            let at = at + spread(rng, 16..24);
            self.asks.push(Ask::new(at, "payment", &id, &answer));
        }
    }

    fn step(&self, rng: &mut Rng, step: usize) -> Command {
        match (rng.u32(0..8), step) {
            (0, _) => Command::Cancel(Because { reason: "another mind".into(), on: None }),
            (1, _) => Command::Return(self.back(rng)),
            (_, 0 | 1) => Command::Ship,
            (_, 2 | 3) => Command::Deliver,
            _ => Command::Return(self.back(rng)),
        }
    }

    fn back(&self, rng: &mut Rng) -> BroughtBack {
        let product = self.product(rng);
        let lines = vec![Returned { product, quantity: rng.u32(1..=2), unit_price: None }];
        BroughtBack { lines, reason: "too small".into(), on: None }
    }

    fn basket(&self, rng: &mut Rng, nth: usize) -> Basket {
        let mut lines = self.lines(rng);
        // What the gateway declines, and what it does not answer in time.
        let price = match rng.u32(0..16) {
            0 => Some(money("1000000.01")),
            1 | 2 => Some(SimulatedGateway::UNANSWERED),
            _ => None,
        };
        if let Some(unit_price) = price {
            lines = vec![Line { quantity: 1, unit_price, ..lines.remove(0) }];
        }
        let customer = (rng.u32(0..4) > 0).then(|| id(&format!("c{}", nth % 3)));
        let on = (rng.u32(0..3) == 0).then(|| "2010-12-01".parse().expect("it is a day"));
        Basket { customer, recipient: None, currency: currency("GBP"), lines, on }
    }

    fn lines(&self, rng: &mut Rng) -> Vec<Line> {
        // Orders that need neither stock nor money keep a large run short.
        let is_free = self.size == Size::Large && rng.u32(0..16) > 0;
        let line = |rng: &mut Rng| {
            let is_charge = is_free || rng.u32(0..8) == 0;
            let prices = if is_free { ["0"; 4] } else { ["2.55", "0.10", "7.5", "0"] };
            Line {
                product: if is_charge { id("post") } else { self.product(rng) },
                description: String::new(),
                quantity: rng.u32(1..=4),
                unit_price: money(prices[rng.usize(0..prices.len())]),
                kind: if is_charge { LineKind::Charge } else { LineKind::Goods },
            }
        };
        (0..rng.usize(1..=3)).map(|_| line(rng)).collect()
    }

    fn product(&self, rng: &mut Rng) -> StreamId {
        id(&format!("p{}", rng.usize(0..self.products)))
    }

    fn moment(&self, rng: &mut Rng) -> Duration {
        Duration::from_millis(rng.u64(0..1 << self.pace))
    }
}

fn answer(rng: &mut Rng) -> GatewayAnswer {
    match rng.bool() {
        true => GatewayAnswer::Approved { reference: "late".into() },
        false => GatewayAnswer::Declined(Decline { reason: "no cover".into() }),
    }
}

fn id(text: &str) -> StreamId {
    StreamId::new(text).expect("it is short and legal")
}

fn money(text: &str) -> Money {
    text.parse().expect("it is an amount")
}

fn currency(text: &str) -> Currency {
    text.parse().expect("it is a currency")
}
