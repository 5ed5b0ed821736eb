use crate::ports::{DocumentKey, FeedQuery, Guard, Position, Write};
use crate::stores::one;
use crate::{Error, ErrorKind, Failed, Payload, Result, Runtime};

/// The collection of the documents that say how far the feed was announced.
const COLLECTION: &str = "announced";

/// The feed of a host that nobody brings it to: one slice, read from where it was last announced
/// to. A document says where that is, so that a process goes on where another one has ended; of
/// two at once, both may announce the same, and the slower one takes over where the faster is.
#[derive(Debug)]
pub struct Tail {
    slice: u16,
    /// Where it is, once that is known.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    next: Option<Position>,
    /// What holds of the document as long as nobody else has moved it on.
    guard: Guard,
}

impl Tail {
    /// Those of all slices of the feed of `runtime`.
    pub fn all(runtime: &Runtime) -> Vec<Self> {
        (0..runtime.ports().feed.slices()).map(|slice| Self { slice, place: None }).collect()
    }

    /// Has the relay `name` announce the next page. Returns how many commits it had: if none, there
    /// may be nothing more now.
    ///
    /// What cannot be read is announced by reference, so that its stream alone waits
    /// ([`relay`](super::relay)).
    ///
    /// A page that was announced in part is announced again as a whole: whoever hears of an event
    /// twice drops it.
    ///
    /// # Errors
    ///
    /// Those of the ports, and [`Unavailable`](ErrorKind::Unavailable) if not all of the page could
    /// be announced: the next call begins with the same page.
    pub async fn pass(&mut self, runtime: &Runtime, name: &str) -> Result<usize> {
        let Place { next: from, guard } = match self.place.take() {
            Some(place) => place,
            None => self.find(runtime).await?,
        };
        let ports = runtime.ports();
        let page = ports.feed.read(self.slice, &FeedQuery::default(), from.as_ref()).await?;
        let count = page.commits.len() + page.unreadable.len();
        let next = Some(page.next);
        if count == 0 {
            // Nothing to write down: another process finds nothing here either.
            self.place = Some(Place { next, guard });
            return Ok(0);
        }
        let failed = super::relay(runtime, name, page.commits, &page.unreadable).await?;
        if let Some(Failed { event, error }) = failed.into_iter().next() {
            let message = format!("{event} could not be announced, nor could what follows it");
            return Err(Error::new(ErrorKind::Unavailable, message).with_source(error));
        }
        let body = Some(Payload::encode(&next)?);
        let (key, listings, expires) = (self.key(), vec![], None);
        let write = Write { key, body, listings, guard, expires };
        match ports.documents.write(&[write]).await.pop() {
            Some(Ok(revision)) => self.place = Some(Place { next, guard: Guard::At(revision) }),
            // Another process has moved it on: it is looked for again.
            Some(Err(error)) if error.kind() == ErrorKind::Conflict => {}
            Some(Err(error)) => return Err(error),
            None => return Err(Error::new(ErrorKind::Unexpected, "a write had no outcome")),
        }
        Ok(count)
    }

    async fn find(&self, runtime: &Runtime) -> Result<Place> {
        Ok(match one(&*runtime.ports().documents, &self.key()).await? {
            None => Place { next: None, guard: Guard::Absent },
            Some(found) => Place { next: found.body.decode()?, guard: Guard::At(found.revision) },
        })
    }

    fn key(&self) -> DocumentKey {
        DocumentKey { collection: COLLECTION.into(), id: self.slice.to_string() }
    }
}
