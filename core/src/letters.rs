//! Where dead letters are kept: in one collection, and in lists of those that wait.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::command_id::millis;
use crate::functions::ATTEMPTS_MAX;
use crate::ports::{
    DocumentKey, DocumentStore, Guard, ListQuery, Listing, Order, QueuedCommand, Write,
};
use crate::stores::{one, put};
use crate::{DeadLetter, Error, ErrorKind, Payload, Result, StreamName, limits};

/// The list of those that wait, by function.
const BY_FUNCTION: usize = 0;

/// The list of all, by whether they wait.
const BY_STATUS: usize = 1;

/// The list of those that wait, by stream.
const BY_STREAM: usize = 2;

/// How long a letter is kept after somebody has seen to it.
const KEPT: Duration = Duration::days(90);

/// What the ids of letters are derived under.
const NAMESPACE: Uuid = Uuid::from_u128(0x7f0c_3c5e_96d1_4b0f_a2f1_5c1d_2f0e_61d4);

/// The dead letters of one store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letters<'a>(pub(crate) &'a dyn DocumentStore);

/// Which letters a list is of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Among<'a> {
    /// Those of this function that wait.
    Function(&'a str),
    /// Those of this stream that wait.
    Stream(&'a StreamName),
    /// All that wait.
    Waiting,
    /// All that do not wait any more.
    Closed,
}

/// Part of a list.
pub(crate) struct Letterbox {
    pub(crate) letters: Vec<DeadLetter>,
    pub(crate) next: Option<String>,
}

/// The id of the letter about `stream` and `consumer`.
pub(crate) fn id_of_stream(consumer: &str, stream: &StreamName) -> String {
    id(&["stream", consumer, stream.as_str()])
}

/// The id of the letter about `queued`.
pub(crate) fn id_of_command(queued: &QueuedCommand) -> String {
    let request = &queued.request;
    id(&["command", &queued.category, request.stream.as_str(), request.id.as_str()])
}

/// What a list is of that is about `stream`: its name may be longer than a list allows.
fn under_stream(stream: &StreamName) -> String {
    id(&["list", stream.as_str()])
}

fn id(parts: &[&str]) -> String {
    // No part holds a line break.
    Uuid::new_v5(&NAMESPACE, parts.join("\n").as_bytes()).to_string()
}

impl Letters<'_> {
    /// The letter `id`, if there is one.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<DeadLetter>> {
        let document = one(self.0, &key(id)).await?;
        document.map(|document| document.body.decode()).transpose()
    }

    /// Replaces the letter `id` by what `change` makes of it, and returns what is there then.
    /// `None` leaves it as it is.
    pub(crate) async fn update(
        &self,
        id: &str,
        now: OffsetDateTime,
        mut change: impl FnMut(Option<&DeadLetter>) -> Result<Option<DeadLetter>> + Send,
    ) -> Result<Option<DeadLetter>> {
        for _ in 0..ATTEMPTS_MAX {
            let document = one(self.0, &key(id)).await?;
            let found = document.as_ref().map(|document| document.body.decode()).transpose()?;
            let Some(letter) = change(found.as_ref())? else { return Ok(found) };
            let guard = document.map_or(Guard::Absent, |document| Guard::At(document.revision));
            match put(self.0, write(&letter, guard, now)?).await {
                Ok(()) => return Ok(Some(letter)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("the dead letter {id} is too busy")))
    }

    /// A page of the letters among these, by when they began.
    pub(crate) async fn page(
        &self,
        among: Among<'_>,
        order: Order,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<Letterbox> {
        let (list, under) = match among {
            Among::Function(function) => (BY_FUNCTION, function.to_owned()),
            Among::Stream(stream) => (BY_STREAM, under_stream(stream)),
            Among::Waiting => (BY_STATUS, "waiting".to_owned()),
            Among::Closed => (BY_STATUS, "closed".to_owned()),
        };
        let collection = DeadLetter::COLLECTION.to_owned();
        let query = ListQuery { collection, list, under, order, limit, cursor };
        let page = self.0.list(&query).await?;
        let letters = page.documents.iter().map(|document| document.body.decode());
        Ok(Letterbox { letters: letters.collect::<Result<_>>()?, next: page.next })
    }
}

fn key(id: &str) -> DocumentKey {
    DocumentKey { collection: DeadLetter::COLLECTION.to_owned(), id: id.to_owned() }
}

fn write(letter: &DeadLetter, guard: Guard, now: OffsetDateTime) -> Result<Write> {
    let body = Payload::encode(letter)?;
    if body.bytes() > limits::DOCUMENT_BYTES_MAX {
        let (bytes, max) = (body.bytes(), limits::DOCUMENT_BYTES_MAX);
        let message = format!("the dead letter {} has {bytes} bytes, of at most {max}", letter.id);
        return Err(Error::new(ErrorKind::Oversized, message));
    }
    let by = format!("{:015}", millis(letter.first).max(0));
    let listing = |list, under: &str| Listing { list, under: under.to_owned(), by: by.clone() };
    let (listings, expires) = match letter.is_waiting() {
        true => {
            let by_stream = listing(BY_STREAM, &under_stream(&letter.stream));
            let by_function = listing(BY_FUNCTION, &letter.function);
            (vec![by_function, listing(BY_STATUS, "waiting"), by_stream], None)
        }
        false => (vec![listing(BY_STATUS, "closed")], Some(now.saturating_add(KEPT))),
    };
    Ok(Write { key: key(&letter.id), body: Some(body), listings, guard, expires })
}
