use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::command_id::millis;
use crate::functions::Context;
use crate::limits::PAGE_ITEMS_MAX;
use crate::ports::{DocumentKey, Guard, ListQuery, Listing, Order, Write};
use crate::stores::{one, put};
use crate::{Error, ErrorKind, Payload, Result, StreamId};

/// Where the receipts are kept.
const COLLECTION: &str = "forgotten";

/// What their one list is of.
const EVERYBODY: &str = "everybody";

/// How many characters a reason, or the name of who gives it, may have.
pub(crate) const REASON_CHARS_MAX: usize = 200;

/// Forgets the subjects of personal data: see [`Personal`](crate::Personal).
#[derive(Clone, Copy, Debug)]
pub struct Privacy<'a> {
    context: &'a Context,
}

/// Who is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetRequest {
    /// Whom the data concern.
    pub subject: StreamId,
    /// Who asks for it. It is kept, so take a name of an office rather than a person's.
    pub by: String,
    /// Why, in at most 200 characters. It is kept, so it must not hold personal data.
    pub reason: String,
}

/// The receipt of a subject that was forgotten, without anything that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Whom the data concerned.
    pub subject: StreamId,
    /// Who asked for it first.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When the keys were destroyed for certain.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
}

/// A page of receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenPage {
    /// Receipts, newest first.
    pub items: Vec<Forgotten>,
    /// Where to read on, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<'a> Privacy<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { context }
    }

    /// Destroys the keys of a subject, for good, and with them every personal value that was
    /// recorded, stored or sent under it. Asking again changes nothing, and returns the first
    /// receipt.
    ///
    /// This process shows nothing of the subject once it returns; others may for 30 seconds more.
    /// The subject takes no new personal data: a command that brings some is refused.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) for a reason or name that is empty or too long. After any
    /// other the subject may be forgotten already: ask again for the receipt.
    pub async fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let ForgetRequest { subject, by, reason } = request.clone();
        check_text("the reason", &reason)?;
        check_text("who asks for it", &by)?;
        self.context.vault.forget(&subject).await?;
        self.context.forget_all();
        let time = self.context.ports.clock.now();
        let receipt = Forgotten { subject, by, reason, time };
        let write = Write {
            key: key(&receipt.subject),
            body: Some(Payload::encode(&receipt)?),
            listings: vec![Listing {
                list: 0,
                under: EVERYBODY.into(),
                by: format!("{:020}", millis(time).max(0)),
            }],
            guard: Guard::Absent,
            expires: None,
        };
        match put(&*self.context.ports.documents, write).await {
            Ok(()) => {
                tracing::info!(subject = %receipt.subject, "a subject was forgotten");
                Ok(receipt)
            }
            Err(error) if error.is_conflict() => {
                let found = self.receipt(&receipt.subject).await?;
                Ok(found.unwrap_or(receipt))
            }
            Err(error) => Err(error),
        }
    }

    /// The receipt of `subject`, if it was forgotten.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn receipt(&self, subject: &StreamId) -> Result<Option<Forgotten>> {
        let document = one(&*self.context.ports.documents, &key(subject)).await?;
        document.map(|document| document.body.decode()).transpose()
    }

    /// A page of receipts, newest first: `limit` of them, after the page that ended at `cursor`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) for a limit that is not 1 to
    /// [`PAGE_ITEMS_MAX`], or a cursor of another list.
    pub async fn receipts(&self, limit: usize, cursor: Option<String>) -> Result<ForgottenPage> {
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            let message = format!("a page has 1 to {PAGE_ITEMS_MAX} items, not {limit}");
            return Err(Error::invalid(message));
        }
        let query = ListQuery {
            collection: COLLECTION.into(),
            list: 0,
            under: EVERYBODY.into(),
            order: Order::Descending,
            limit,
            cursor,
        };
        let page = self.context.ports.documents.list(&query).await?;
        let items = page.documents.iter().map(|document| document.body.decode());
        Ok(ForgottenPage { items: items.collect::<Result<_>>()?, next: page.next })
    }

    /// Makes another key for `subject`, and returns its number. What is stored from now on is
    /// sealed under it; what was stored before stays readable.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if the subject was forgotten,
    /// [`Invalid`](ErrorKind::Invalid) if it has
    /// [`SUBJECT_KEYS_MAX`](crate::limits::SUBJECT_KEYS_MAX) keys.
    pub async fn renew_key(&self, subject: &StreamId) -> Result<u32> {
        let number = self.context.vault.renew(subject).await?;
        number.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{subject} was forgotten and has no keys"))
        })
    }
}

fn key(subject: &StreamId) -> DocumentKey {
    DocumentKey { collection: COLLECTION.into(), id: subject.to_string() }
}

/// Refuses a text that is not fit to be kept as a reason, or as the name of who gives it.
pub(crate) fn check_text(what: &str, text: &str) -> Result<()> {
    let chars = text.chars().count();
    if (1..=REASON_CHARS_MAX).contains(&chars) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} has {chars} characters, of 1 to {REASON_CHARS_MAX} without control characters"
    )))
}
