//! Where a projection is with a stream whose view has the stream's own id: the view says it.

use crate::functions::parking::{Aside, Standing};
use crate::functions::view::StoredView;
use crate::functions::{ATTEMPTS_MAX, Context};
use crate::ports::DocumentKey;
use crate::stores::{one, put};
use crate::{Error, ErrorKind, EventId, Payload, Projection, Result, StreamName, Version};

/// Where the view of `key` is with `stream`.
pub(crate) async fn standing(
    context: &Context,
    key: &DocumentKey,
    stream: &StreamName,
) -> Result<Standing> {
    let document = one(&*context.ports.documents, key).await?;
    let stored = document.as_ref().map(StoredView::read).transpose()?.unwrap_or_default();
    let reached = stored.seen(stream).unwrap_or(Version::EMPTY);
    Ok(Standing { reached, is_waiting: stored.is_waiting() })
}

/// Has the view of `key` wait at `event` or pass it over, unless it is beyond it.
pub(crate) async fn step<P: Projection>(
    context: &Context,
    key: &DocumentKey,
    event: &EventId,
    step: Aside,
) -> Result<()> {
    for _ in 0..ATTEMPTS_MAX {
        let document = one(&*context.ports.documents, key).await?;
        let stored = document.as_ref().map(StoredView::read).transpose()?;
        let mut stored = stored.unwrap_or_default();
        let reached = stored.seen(&event.stream).unwrap_or(Version::EMPTY);
        if reached >= event.version || (step == Aside::Wait && stored.is_waiting()) {
            return Ok(());
        }
        if reached.next() != event.version {
            return Err(too_early(event, reached));
        }
        match step {
            Aside::Wait => stored.wait(),
            Aside::PassOver => stored.see(&event.stream, event.version),
        }
        let view: Option<P::View> = stored.view().map(Payload::decode).transpose()?;
        let write = stored.write::<P>(key.clone(), document.as_ref(), view.as_ref())?;
        match put(&*context.ports.documents, write).await {
            Err(error) if error.is_conflict() => {}
            outcome => return outcome,
        }
    }
    Err(Error::new(ErrorKind::Conflict, format!("the view of {} is too busy", event.stream)))
}

/// Why a consumer that has only reached `reached` can neither wait at `event` nor pass it over.
pub(crate) fn too_early(event: &EventId, reached: Version) -> Error {
    let message = format!("{event} is not the next event after {reached}: retry first");
    Error::new(ErrorKind::Conflict, message)
}
