//! What becomes of what a projection or saga cannot handle: its stream waits, and the others go on.

use async_trait::async_trait;

use crate::functions::consumer::{Delivery, by_stream};
use crate::functions::{ATTEMPTS_MAX, Context};
use crate::letters::{Letters, id_of_stream};
use crate::ports::{Consistency, Range};
use crate::{
    Announced, DeadLetter, Discard, Error, ErrorKind, EventId, Failed, Result, StreamName, Undone,
    Version,
};

/// A projection or saga, as far as its deliveries are concerned.
///
/// Where it is with a stream is one document that every delivery reads anyway. In it also stands
/// whether the stream waits, so that a delivery which must wait costs that one read, and one that
/// need not wait costs nothing more.
#[async_trait]
pub(crate) trait Consumer: Send + Sync {
    /// The function's name.
    fn name(&self) -> &str;

    /// What it keeps its progress under.
    fn place(&self) -> &str;

    /// Whether events of `category` are heard.
    fn hears(&self, category: &str) -> bool;

    /// Handles a delivery, unless its stream waits and the delivery heeds that. On a failure for
    /// good the delivery says at which event.
    async fn handle(&self, context: &Context, delivery: &mut Delivery<'_>) -> Result<()>;

    /// Where it is with `stream`.
    async fn standing(&self, context: &Context, stream: &StreamName) -> Result<Standing>;

    /// Has the stream wait at `event`, or go on after it without having handled it. Nothing
    /// happens where the consumer is beyond the event.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) if events before it have not been handled.
    async fn step(&self, context: &Context, event: &EventId, step: Aside) -> Result<()>;
}

/// Where a consumer is with a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The version up to which events were handled.
    pub(crate) reached: Version,
    /// Whether the next event cannot be handled, and the stream waits.
    pub(crate) is_waiting: bool,
}

/// What a consumer does about an event that it cannot handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aside {
    /// It waits.
    Wait,
    /// It leaves it out.
    PassOver,
}

/// What became of an event that was to be set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// Its stream waits at it.
    Waits,
    /// Another process handled it meanwhile: whoever could not must go on to the stream's end.
    Overtaken,
}

/// How often a retry goes through a stream.
const PASSES: u32 = 2;

/// Has `consumer` handle what was announced, each stream on its own. What will never be handled as
/// it is becomes a dead letter; what may pass fails, and comes again. So does what a newer release
/// recorded, which passes once that release is everywhere: the host says when it gives up.
pub(crate) async fn deliver(
    consumer: &dyn Consumer,
    context: &Context,
    announced: Vec<Announced>,
) -> Vec<Failed> {
    let mut failed = vec![];
    for (stream, announced) in by_stream(announced) {
        if let Err(error) = receive(consumer, context, &stream, &announced).await {
            let error = std::sync::Arc::new(error);
            let failed_one = |a: &Announced| Failed { event: a.id(), error: error.clone() };
            failed.extend(announced.iter().map(failed_one));
        }
    }
    failed
}

async fn receive(
    consumer: &dyn Consumer,
    context: &Context,
    stream: &StreamName,
    announced: &[Announced],
) -> Result<()> {
    if !consumer.hears(stream.category()) {
        // Whoever routes deliveries is wrong, and not the stream.
        return Err(Error::invalid(format!("{} does not hear {stream}", consumer.name())));
    }
    go_on(consumer, context, stream, Some(announced)).await
}

/// Handles what was `announced` of `stream`. Without that, and as soon as another process handled
/// what could not be handled here, all there is: what was delivered while the stream waited was
/// acknowledged, and rings no more. Only then is the letter closed, so that a crash leaves it to
/// an operator.
async fn go_on(
    consumer: &dyn Consumer,
    context: &Context,
    stream: &StreamName,
    mut announced: Option<&[Announced]>,
) -> Result<()> {
    for _ in 0..ATTEMPTS_MAX {
        let all = match announced {
            Some(_) => None,
            None => Some([Announced::Reference(head(context, stream).await?)]),
        };
        let news = announced.or(all.as_ref().map(|all| &all[..])).unwrap_or_default();
        let mut delivery = Delivery::new(stream, news);
        let Err(error) = consumer.handle(context, &mut delivery).await else {
            if announced.is_none() {
                close_if_beyond(consumer, context, stream, "another process handled it").await?;
            }
            return Ok(());
        };
        if !error.kind().is_final() {
            return Err(error);
        }
        match park(consumer, context, &delivery.at(), &error).await {
            Ok(Parked::Waits) => return Ok(()),
            Ok(Parked::Overtaken) => announced = None,
            Err(unparked) => {
                tracing::warn!(error = %unparked, "no dead letter could be written");
                return Err(error);
            }
        }
    }
    Err(overtaken(stream))
}

/// The error of whoever could set nothing aside, since others were always faster.
fn overtaken(stream: &StreamName) -> Error {
    let message = format!("others went on in {stream} {ATTEMPTS_MAX} times meanwhile");
    Error::new(ErrorKind::Conflict, message)
}

/// Sets `event` aside: writes the letter, and then has the stream wait. After a crash between the
/// two the event is delivered again, and its letter is there already.
pub(crate) async fn park(
    consumer: &dyn Consumer,
    context: &Context,
    event: &EventId,
    error: &Error,
) -> Result<Parked> {
    let (function, kind) = (consumer.name(), error.kind().code());
    tracing::warn!(function, %event, kind, %error, "set aside: its stream waits");
    let id = id_of_stream(consumer.place(), &event.stream);
    let now = context.ports.clock.now();
    let blank = || blank(consumer, &id, event, now);
    let failed = |found: Option<&DeadLetter>| {
        let mut letter = found.cloned().unwrap_or_else(blank);
        if letter.is_waiting() && letter.is_beyond(event.version) {
            // Somebody else handled the event, and met another.
            return Ok(None);
        }
        letter.fail(Undone::Event(event.clone()), error, now);
        Ok(Some(letter))
    };
    letters(context).update(&id, now, failed).await?;
    match consumer.step(context, event, Aside::Wait).await {
        Ok(()) => {}
        // Where it cannot be noted that the stream waits, each delivery finds out anew.
        Err(error) if error.kind().is_final() => tracing::warn!(%error, "the wait is not noted"),
        Err(error) => return Err(error),
    }
    match consumer.standing(context, &event.stream).await {
        Ok(standing) if standing.reached >= event.version => Ok(Parked::Overtaken),
        Err(error) if !error.kind().is_final() => Err(error),
        _ => Ok(Parked::Waits),
    }
}

/// Gives up a delivery of `event` that failed with `error` and will not come again: its stream
/// waits at the first event that was not handled, unless that one was.
pub(crate) async fn give_up(
    consumer: &dyn Consumer,
    context: &Context,
    event: &EventId,
    error: &Error,
) -> Result<()> {
    for _ in 0..ATTEMPTS_MAX {
        let standing = consumer.standing(context, &event.stream).await?;
        if standing.reached >= event.version || standing.is_waiting {
            return Ok(());
        }
        let at = EventId { version: standing.reached.next(), ..event.clone() };
        match park(consumer, context, &at, error).await? {
            Parked::Waits => return Ok(()),
            Parked::Overtaken => go_on(consumer, context, &event.stream, None).await?,
        }
    }
    Err(overtaken(&event.stream))
}

fn blank(
    consumer: &dyn Consumer,
    id: &str,
    event: &EventId,
    now: time::OffsetDateTime,
) -> DeadLetter {
    let undone = Undone::Event(event.clone());
    DeadLetter::blank(id, (consumer.name(), consumer.place()), event.stream.clone(), undone, now)
}

/// Closes the letter about `stream` if the consumer is beyond the event that it is about.
async fn close_if_beyond(
    consumer: &dyn Consumer,
    context: &Context,
    stream: &StreamName,
    outcome: &str,
) -> Result<()> {
    let standing = match consumer.standing(context, stream).await {
        Err(error) if error.kind().is_final() => return Ok(()),
        standing => standing?,
    };
    let id = id_of_stream(consumer.place(), stream);
    let now = context.ports.clock.now();
    let close = |found: Option<&DeadLetter>| {
        let is_over =
            |letter: &&DeadLetter| letter.is_waiting() && !letter.is_beyond(standing.reached);
        let mut letter = found.filter(is_over).cloned();
        letter.iter_mut().for_each(|letter| letter.close(outcome, now));
        Ok(letter)
    };
    letters(context).update(&id, now, close).await.map(|_| ())
}

/// Tries again from `event` on, which its stream waits at, as far as the stream goes: then its
/// letter is closed, or about the event that cannot be handled now.
///
/// Twice: a delivery that came while the stream still waited was acknowledged, and rings no more.
/// Whatever it announced is in the stream by the time the first pass is over.
pub(crate) async fn retry(
    consumer: &dyn Consumer,
    context: &Context,
    event: &EventId,
) -> Result<()> {
    let stream = &event.stream;
    let mut passes = 0;
    for _ in 0..ATTEMPTS_MAX {
        let head = head(context, stream).await?;
        let announced = [Announced::Reference(head)];
        let mut delivery = Delivery::again(event, &announced);
        let outcome = consumer.handle(context, &mut delivery).await;
        let Err(error) = outcome else {
            passes += 1;
            if passes == PASSES {
                close_if_beyond(consumer, context, stream, "it was handled").await?;
                return Ok(());
            }
            continue;
        };
        if !error.kind().is_final() && error.kind() != ErrorKind::Newer {
            return Err(error);
        }
        if park(consumer, context, &delivery.at(), &error).await? == Parked::Waits {
            return Ok(());
        }
    }
    Err(overtaken(stream))
}

/// Leaves out `event`, and goes on with what follows. The reason is kept before anything changes.
pub(crate) async fn discard(
    consumer: &dyn Consumer,
    context: &Context,
    event: &EventId,
    discard: &Discard,
) -> Result<()> {
    let id = id_of_stream(consumer.place(), &event.stream);
    let now = context.ports.clock.now();
    let noted = |found: Option<&DeadLetter>| {
        let Some(mut letter) = found.filter(|letter| letter.is_waiting()).cloned() else {
            return Ok(None);
        };
        if letter.event() != Some(event) {
            let message = format!("the letter is no longer about {event}: look at it again");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        letter.discard(discard, now);
        Ok(Some(letter))
    };
    letters(context).update(&id, now, noted).await?;
    consumer.step(context, event, Aside::PassOver).await?;
    retry(consumer, context, event).await
}

/// The newest event of `stream`.
async fn head(context: &Context, stream: &StreamName) -> Result<EventId> {
    let read = context.ports.events.read(stream, Range::NEWEST, 1, Consistency::Strong);
    let newest = read.await?.commits.pop();
    let version = newest.map_or(Version::EMPTY, |commit| commit.last());
    Ok(EventId { stream: stream.clone(), version })
}

fn letters(context: &Context) -> Letters<'_> {
    Letters(&*context.ports.documents)
}
