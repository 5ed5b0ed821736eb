use serde::{Deserialize, Serialize};

use super::queued;
use crate::functions::{self, Consumer, Context};
use crate::letters::{Among, Letters, id_of_stream};
use crate::limits::PAGE_ITEMS_MAX;
use crate::ports::{Order, QueuedCommand};
use crate::{
    DeadLetter, Discard, Error, ErrorKind, EventId, Reply, Result, Runtime, StreamName, Trigger,
    Undone,
};

/// The dead letters of an app, as [`Runtime::dead_letters`] gives them: looked at, tried again, and
/// given up.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetters<'a> {
    runtime: &'a Runtime,
}

/// Which dead letters to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterQuery {
    /// Those of one function that wait. With neither function nor stream all are listed.
    pub function: Option<String>,
    /// Those of one stream that wait: of every function that has trouble with it.
    pub stream: Option<StreamName>,
    /// Of all functions, those that nobody has to see to any more: they are kept for 90 days.
    pub closed: bool,
    /// Which way, by when they began.
    pub order: Order,
    /// At most this many, of at most [`PAGE_ITEMS_MAX`].
    pub limit: usize,
    /// Where an earlier page of the same query ended.
    pub cursor: Option<String>,
}

impl Default for LetterQuery {
    /// All that wait, the oldest first.
    fn default() -> Self {
        let (order, limit) = (Order::Ascending, PAGE_ITEMS_MAX);
        Self { function: None, stream: None, closed: false, order, limit, cursor: None }
    }
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterPage {
    /// The letters.
    pub items: Vec<DeadLetter>,
    /// Where to read on, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What came of trying a page of letters again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retried {
    /// How many were done after all.
    pub resolved: usize,
    /// Those that still wait.
    pub waiting: Vec<DeadLetter>,
    /// Where to go on, if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<'a> DeadLetters<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Self {
        Self { runtime }
    }

    /// A page of letters. It may lag behind, as a list may.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if the limit or the cursor makes no sense, or if more than
    /// one of function, stream and closed is asked for: there is a list of each.
    pub async fn list(&self, query: &LetterQuery) -> Result<LetterPage> {
        let LetterQuery { function, stream, closed, order, limit, cursor } = query;
        if !(1..=PAGE_ITEMS_MAX).contains(limit) {
            let message = format!("a page has 1 to {PAGE_ITEMS_MAX} items, not {limit}");
            return Err(Error::invalid(message));
        }
        let among = match (function, stream, closed) {
            (Some(function), None, false) => Among::Function(function),
            (None, Some(stream), false) => Among::Stream(stream),
            (None, None, false) => Among::Waiting,
            (None, None, true) => Among::Closed,
            _ => {
                let message = "dead letters are listed of a function, of a stream, or closed";
                return Err(Error::invalid(message));
            }
        };
        let page = self.letters().page(among, *order, *limit, cursor.clone()).await?;
        Ok(LetterPage { items: page.letters, next: page.next })
    }

    /// The letter `id`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is none.
    pub async fn show(&self, id: &str) -> Result<DeadLetter> {
        let missing = || Error::new(ErrorKind::NotFound, format!("no dead letter {id:?}"));
        self.letters().find(id).await?.ok_or_else(missing)
    }

    /// The letter about `stream` of the projection or saga `function`, if there is one. Unlike a
    /// list it never lags behind.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if no such function hears events.
    pub async fn about(&self, function: &str, stream: &StreamName) -> Result<Option<DeadLetter>> {
        let consumer = self.consumer(function)?;
        self.letters().find(&id_of_stream(consumer.place(), stream)).await
    }

    /// Tries again what the letter `id` is about, and returns the letter as it is then.
    ///
    /// A stream is gone through from the event that it waits at to its end, in its order; it may
    /// come to wait at a later event. A command is run under its own id. Both may be done as often
    /// as one likes, and beside whatever is being delivered.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such letter, or no such function any more;
    /// what may pass by itself, such as [`Unavailable`](ErrorKind::Unavailable), or is of no known
    /// kind ([`Unexpected`](ErrorKind::Unexpected)): the letter is then as it was.
    pub async fn retry(&self, id: &str) -> Result<DeadLetter> {
        let letter = self.show(id).await?;
        if !letter.is_waiting() {
            return Ok(letter);
        }
        match &letter.undone {
            Undone::Event(event) => {
                let consumer = self.consumer_of(&letter)?;
                functions::retry(consumer, self.context(), event).await?;
            }
            Undone::Command(queued) => self.run(id, queued).await?,
        }
        self.show(id).await
    }

    /// Tries a page of letters again. One that this release of the app has no function for waits
    /// on.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if the app has no such function; those of
    /// [`list`](Self::list); the first that may pass by itself, as of [`retry`](Self::retry). What
    /// was tried before it stays done.
    pub async fn retry_page(&self, query: &LetterQuery) -> Result<Retried> {
        let functions = self.runtime.app().functions();
        if let Some(function) = query.function.as_ref().filter(|f| !functions.contains_key(*f)) {
            let message = format!("the app has no function {function}");
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let page = self.list(query).await?;
        let mut retried = Retried { resolved: 0, waiting: vec![], next: page.next };
        for letter in page.items {
            let letter = match self.retry(&letter.id).await {
                Err(error) if error.kind() == ErrorKind::NotFound => letter,
                tried => tried?,
            };
            match letter.is_waiting() {
                true => retried.waiting.push(letter),
                false => retried.resolved += 1,
            }
        }
        Ok(retried)
    }

    /// Gives up what the letter `id` is about: the event is left out, for this function alone, and
    /// what follows it is handled; the command is not run. Returns the letter as it is then.
    ///
    /// A view of many streams keeps what it had taken from the event before it failed.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) without a reason; [`Conflict`](ErrorKind::Conflict) if the
    /// letter is about another event than the operator has seen; those of [`retry`](Self::retry).
    pub async fn discard(&self, id: &str, discard: &Discard) -> Result<DeadLetter> {
        if discard.reason.trim().is_empty() {
            return Err(Error::invalid("a dead letter is not discarded without a reason"));
        }
        let letter = self.show(id).await?;
        if discard.event.is_some() && discard.event.as_ref() != letter.event() {
            let message = format!("the letter {id} is no longer about that: look at it again");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        if !letter.is_waiting() {
            return Ok(letter);
        }
        match &letter.undone {
            Undone::Event(event) => {
                let consumer = self.consumer_of(&letter)?;
                functions::discard(consumer, self.context(), event, discard).await?;
            }
            Undone::Command(_) => queued::discard(self.context(), id, discard).await?,
        }
        self.show(id).await
    }

    /// Sets aside a delivery of `event` to `function` that failed with `error` so often that it
    /// will not come again: for hosts, whatever the kind of the error. Nothing happens if the event
    /// was handled meanwhile, or waits in its stream already.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if no such function hears events; those of the store.
    pub async fn give_up(&self, function: &str, event: &EventId, error: &Error) -> Result<()> {
        let consumer = self.consumer(function)?;
        functions::give_up(consumer, self.context(), event, error).await
    }

    /// Sets aside a queued command that failed with `error` so often that it will not come again:
    /// for hosts. Returns the letter's id.
    ///
    /// # Errors
    ///
    /// [`Oversized`](ErrorKind::Oversized) if the command does not fit into a letter; those of the
    /// store.
    pub async fn give_up_command(&self, queued: &QueuedCommand, error: &Error) -> Result<String> {
        queued::set_aside(self.context(), queued, error).await
    }

    /// Runs a command once more. What comes of it, a refusal included, closes the letter.
    async fn run(&self, id: &str, queued: &QueuedCommand) -> Result<()> {
        let trigger = Trigger::Queued(queued.clone());
        let reply = match self.runtime.invoke(&queued.category, trigger).await {
            Err(error) if error.kind() == ErrorKind::Newer => {
                queued::set_aside(self.context(), queued, &error).await?;
                return Ok(());
            }
            reply => reply?,
        };
        let outcome = match reply {
            Reply::Accepted(receipt) => {
                format!("accepted: {} is at version {}", receipt.stream, receipt.version)
            }
            Reply::Refused(reason) => format!("refused: {reason}"),
            Reply::Deferred => "sent on, since it is not due yet".to_owned(),
            Reply::Cancelled => "not run, since it was cancelled".to_owned(),
            // It failed again, and its letter says so.
            _ => return Ok(()),
        };
        queued::close(self.context(), id, &outcome).await
    }

    /// The consumer that a letter is about, whatever it is called by now.
    fn consumer_of(&self, letter: &DeadLetter) -> Result<&'a dyn Consumer> {
        let mut consumers = self.runtime.app().functions().values().filter_map(|f| f.consumer());
        consumers.find(|consumer| consumer.place() == letter.consumer).ok_or_else(|| {
            let message = format!("this release of the app has no {}", letter.consumer);
            Error::new(ErrorKind::NotFound, message)
        })
    }

    fn consumer(&self, function: &str) -> Result<&'a dyn Consumer> {
        let found = self.runtime.app().functions().get(function);
        found.and_then(|function| function.consumer()).ok_or_else(|| {
            let message = format!("no projection or saga {function}");
            Error::new(ErrorKind::NotFound, message)
        })
    }

    fn context(&self) -> &'a Context {
        self.runtime.context()
    }

    fn letters(&self) -> Letters<'a> {
        Letters(&*self.runtime.ports().documents)
    }
}
