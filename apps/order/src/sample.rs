//! A small catalogue and some orders, so that there is something to look at: the same at every
//! start, and given as commands like anybody's.

use skyfold::{CommandId, Decider, Error, ErrorKind, Payload, Personal, Result, StreamId};
use skyfold_cli::{Client, Context, Outcome};
use time::OffsetDateTime;

use crate::level::Pieces;
use crate::line::{Line, LineKind};
use crate::order::{Command, Order};
use crate::recipient::Recipient;
use crate::sale::Basket;
use crate::stock::{self, Stock};
use crate::{Currency, Money};

/// The products: code, name, price in hundredths, and how many are on the shelf.
const CATALOGUE: [(&str, &str, u32, u32); 10] = [
    ("kettle", "ENAMEL KETTLE, BLUE", 2_495, 40),
    ("teapot", "STONEWARE TEAPOT", 1_850, 25),
    ("mug", "MUG WITH A HERON", 695, 200),
    ("lantern", "TIN LANTERN", 1_275, 60),
    ("candle", "BEESWAX CANDLE", 320, 400),
    ("blanket", "WOOL BLANKET, GREY", 5_900, 12),
    ("basket", "WILLOW BASKET", 2_150, 30),
    ("clock", "KITCHEN CLOCK", 3_400, 9),
    ("apron", "LINEN APRON", 1_990, 35),
    ("puzzle", "PUZZLE, 500 PIECES", 1_450, 15),
];

/// Who buys, and whom that is sent to, if it is sent.
const CUSTOMERS: [(&str, Option<(&str, &str)>); 4] = [
    ("ada", Some(("Ada Lovelace", "12 St James's Square, London"))),
    ("grace", Some(("Grace Hopper", "1 Navy Yard, Washington"))),
    ("edsger", None),
    ("barbara", Some(("Barbara Liskov", "32 Vassar Street, Cambridge"))),
];

/// How many orders are placed.
const ORDERS: usize = 12;

/// Receives the catalogue and places the orders.
///
/// # Errors
///
/// Those of the app; [`Unexpected`](ErrorKind::Unexpected) if it refuses something.
pub async fn place(context: Context) -> Result<()> {
    let client = context.client();
    for (product, _, _, quantity) in CATALOGUE {
        let reason = "first delivery".into();
        let command = stock::Command::Receive(Pieces { quantity, reason });
        give::<Stock>(client, product, command).await?;
    }
    for nth in 0..ORDERS {
        give::<Order>(client, &(1_000 + nth).to_string(), Command::Place(basket(nth)?)).await?;
    }
    Ok(())
}

/// What the `nth` order is of: one to three products, some pieces of each, and postage.
fn basket(nth: usize) -> Result<Basket> {
    let mut lines = vec![];
    for step in 0..=nth % 3 {
        let (product, name, price, _) = CATALOGUE[(nth + 3 * step) % CATALOGUE.len()];
        lines.push(Line {
            product: StreamId::new(product)?,
            description: name.into(),
            quantity: 1 + (nth % 4) as u32,
            unit_price: Money::hundredths(price),
            kind: LineKind::Goods,
        });
    }
    lines.push(Line {
        product: StreamId::new("postage")?,
        description: "POSTAGE".into(),
        quantity: 1,
        unit_price: Money::hundredths(450),
        kind: LineKind::Charge,
    });
    let (customer, recipient) = CUSTOMERS[nth % CUSTOMERS.len()];
    let customer = StreamId::new(customer)?;
    let recipient = recipient.map(|(name, address)| {
        let recipient = Recipient { name: name.into(), address: address.into() };
        Personal::new(customer.clone(), recipient)
    });
    let currency: Currency = "GBP".parse().expect("it is three capital letters");
    Ok(Basket { customer: Some(customer), recipient, currency, lines, on: None })
}

/// Gives `command` to the stream `id` of `D`, once however often the samples are placed.
async fn give<D: Decider>(client: &Client, id: &str, command: D::Command) -> Result<()> {
    let key = CommandId::derived(OffsetDateTime::UNIX_EPOCH, &["sample", D::CATEGORY, id]);
    let (stream, command) = (StreamId::new(id)?, Payload::encode(&command)?);
    match client.send(D::CATEGORY, &stream, key, command).await? {
        Outcome::Accepted(_) => Ok(()),
        Outcome::Refused(reason) => {
            let message = format!("the sample {}-{id} was refused: {reason}", D::CATEGORY);
            Err(Error::new(ErrorKind::Unexpected, message))
        }
    }
}
