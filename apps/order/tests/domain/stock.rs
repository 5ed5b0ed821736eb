use order::level::{Level, Pieces, Share};
use order::stock::Command::{Receive, Release, Reserve, WriteOff};
use order::stock::Event::{
    ReservationRefused, StockReceived, StockReleased, StockReserved, StockWrittenOff,
};
use order::stock::{Command, Event, Stock};
use proptest::prelude::*;
use skyfold::Decider;
use skyfold::testing::given;

use crate::say::id;

fn pieces(quantity: u32) -> Pieces {
    Pieces { quantity, reason: "inventory".into() }
}

fn share(quantity: u32) -> Share {
    Share { order: id("42"), quantity }
}

#[test]
fn pieces_arrive() {
    given::<Stock>([]).when(Receive(pieces(3))).then([StockReceived(pieces(3))]);
}

#[test]
fn pieces_are_set_aside_while_there_are_enough() {
    given::<Stock>([StockReceived(pieces(3))])
        .when(Reserve(share(2)))
        .then([StockReserved(share(2))])
        .when(Reserve(share(2)))
        .then([ReservationRefused(share(2))])
        .when(Reserve(share(1)))
        .then([StockReserved(share(1))]);
}

#[test]
fn released_pieces_can_be_reserved_again() {
    given::<Stock>([StockReceived(pieces(2)), StockReserved(share(2))])
        .when(Release(share(1)))
        .then([StockReleased(share(1))])
        .when(Reserve(share(1)))
        .then([StockReserved(share(1))]);
}

#[test]
fn no_more_is_released_than_orders_have() {
    given::<Stock>([StockReceived(pieces(5)), StockReserved(share(2))])
        .when(Release(share(3)))
        .refused("only 2 are with orders, not 3");
}

#[test]
fn no_more_is_written_off_than_is_on_the_shelf() {
    given::<Stock>([StockReceived(pieces(5)), StockReserved(share(2))])
        .when(WriteOff(pieces(4)))
        .refused("only 3 are on the shelf, not 4")
        .when(WriteOff(pieces(3)))
        .then([StockWrittenOff(pieces(3))]);
}

#[test]
fn nothing_is_no_quantity() {
    for command in [Receive(pieces(0)), Reserve(share(0)), Release(share(0)), WriteOff(pieces(0))] {
        given::<Stock>([]).when(command).refused("the quantity is 0");
    }
}

#[test]
fn stock_is_not_counted_beyond_what_can_be_counted() {
    given::<Stock>([StockReceived(pieces(u32::MAX - 1)), StockReserved(share(9))])
        .when(Receive(pieces(2)))
        .refused("there is room for 1 more, not 2")
        .when(Receive(pieces(1)))
        .then([StockReceived(pieces(1))])
        .when(Release(share(9)))
        .then([StockReleased(share(9))]);
}

fn any_command() -> impl Strategy<Value = Command> {
    let quantity = prop_oneof![8 => 0..20_u32, 1 => Just(u32::MAX), 1 => any::<u32>()];
    (quantity, 0..4).prop_map(|(quantity, kind)| match kind {
        0 => Receive(pieces(quantity)),
        1 => Reserve(share(quantity)),
        2 => Release(share(quantity)),
        _ => WriteOff(pieces(quantity)),
    })
}

proptest! {
    /// Numbers without a sign cannot be negative, but their arithmetic would panic.
    #[test]
    fn whatever_is_asked_stock_adds_up(commands in prop::collection::vec(any_command(), 0..200)) {
        let mut level = Level::default();
        let (mut received, mut written_off, mut with_orders) = (0_i128, 0_i128, 0_i128);
        for command in commands {
            for event in Stock::decide(&level, command).unwrap_or_default() {
                Stock::evolve(&mut level, &event);
                match event {
                    Event::StockReceived(pieces) => received += i128::from(pieces.quantity),
                    Event::StockWrittenOff(pieces) => written_off += i128::from(pieces.quantity),
                    Event::StockReserved(share) => with_orders += i128::from(share.quantity),
                    Event::StockReleased(share) => with_orders -= i128::from(share.quantity),
                    Event::ReservationRefused(_) => {}
                }
            }
            prop_assert_eq!(i128::from(level.reserved), with_orders);
            prop_assert_eq!(i128::from(level.available), received - written_off - with_orders);
        }
    }
}
