//! Who gets the goods of an order, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skyfold::{Personal, StreamId};

/// How many bytes a name may have.
pub const NAME_BYTES_MAX: usize = 128;

/// How many bytes an address may have.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// Who gets the goods, and where: personal data of the customer, until the customer is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// What they are called.
    pub name: String,
    /// Where they live, on one line.
    pub address: String,
}

/// Why a recipient is refused. It quotes nothing of the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// The data are not said to be those of the customer, who could not have them forgotten.
    #[error("the subject of the recipient is not the customer of the order")]
    Subject,
    /// The name is missing, too long or cannot be shown.
    #[error("the recipient's name is not 1 to {NAME_BYTES_MAX} bytes of printable text")]
    Name,
    /// The address is missing, too long or cannot be shown.
    #[error("the recipient's address is not 1 to {ADDRESS_BYTES_MAX} bytes of printable text")]
    Address,
}

/// Checks who gets what `customer` buys. Of somebody forgotten nothing is left to check.
pub(crate) fn check(
    recipient: &Personal<Recipient>,
    customer: Option<&StreamId>,
) -> Result<(), RecipientError> {
    if customer != Some(recipient.subject()) {
        return Err(RecipientError::Subject);
    }
    let Some(Recipient { name, address }) = recipient.get() else { return Ok(()) };
    if !is_printable(name, NAME_BYTES_MAX) {
        return Err(RecipientError::Name);
    }
    if !is_printable(address, ADDRESS_BYTES_MAX) {
        return Err(RecipientError::Address);
    }
    Ok(())
}

fn is_printable(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && !text.chars().any(char::is_control)
}
