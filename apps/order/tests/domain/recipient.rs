//! Whom an order is sent to.

use order::Status;
use order::order::Command::Place;
use order::order::Event::OrderPlaced;
use order::order::Order;
use order::recipient::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX, Recipient};
use order::sale::{Basket, Sale};
use order::views::OrderSummary;
use skyfold::Personal;
use skyfold::testing::{given, projection};

use crate::say::{basket, day, gbp, id, line, money, sale};

type SentTo = Option<Personal<Recipient>>;

fn sent_to(subject: &str, name: &str, address: &str) -> SentTo {
    let recipient = Recipient { name: name.into(), address: address.into() };
    Some(Personal::new(id(subject), recipient))
}

fn ada() -> SentTo {
    sent_to("ada", "Ada Lovelace", "12 St James's Square")
}

fn order_to(recipient: SentTo) -> Basket {
    Basket { recipient, ..basket([line("HEART", 2, "3.39")]) }
}

#[test]
fn an_order_is_sent_to_whom_its_customer_names() {
    let sold = Sale { recipient: ada(), ..sale([line("HEART", 2, "3.39")]) };
    given::<Order>([]).when(Place(order_to(ada()))).then([OrderPlaced(sold)]);
}

#[test]
fn whom_it_is_sent_to_is_shown_with_the_order() {
    let lines = vec![line("HEART", 2, "3.39")];
    let shown = |recipient| OrderSummary {
        order: "42".into(),
        customer: Some(id("ada")),
        recipient,
        status: Status::Placed,
        placed_on: Some(day("2010-12-01")),
        lines: lines.clone(),
        amount: money("6.78"),
        currency: gbp(),
        ..OrderSummary::default()
    };
    for recipient in [ada(), None] {
        let sold = Sale { recipient: recipient.clone(), ..sale(lines.clone()) };
        projection::<OrderSummary>()
            .given("order-42", OrderPlaced(sold))
            .shows("42", shown(recipient));
    }
}

#[test]
fn nobody_gives_data_of_others_or_what_is_no_address() {
    let guest = Basket { customer: None, ..order_to(ada()) };
    let subject = "the subject of the recipient is not the customer of the order";
    let name = format!("the recipient's name is not 1 to {NAME_BYTES_MAX} bytes of printable text");
    let address =
        format!("the recipient's address is not 1 to {ADDRESS_BYTES_MAX} bytes of printable text");
    let (long_name, long_address) =
        ("x".repeat(NAME_BYTES_MAX + 1), "x".repeat(ADDRESS_BYTES_MAX + 1));
    for (basket, reason) in [
        (guest, subject),
        (order_to(sent_to("bob", "Bob", "Here")), subject),
        (order_to(sent_to("ada", "", "Here")), &name),
        (order_to(sent_to("ada", "A\nB", "Here")), &name),
        (order_to(sent_to("ada", &long_name, "Here")), &name),
        (order_to(sent_to("ada", "Ada", "")), &address),
        (order_to(sent_to("ada", "Ada", &long_address)), &address),
    ] {
        given::<Order>([]).when(Place(basket)).refused(reason);
    }
}
