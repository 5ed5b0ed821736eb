use std::collections::BTreeSet;

use crate::Result;
use crate::functions::view::StoredView;
use crate::functions::{ATTEMPTS_MAX, Rebuildable};
use crate::limits::FEED_LAG_MAX;
use crate::operations::pace::Pace;
use crate::operations::read_model::ReadModel;
use crate::operations::removal::deletion;
use crate::operations::verify::ROUNDS_MAX;
use crate::operations::verify::scratch::{Live, Scratch};
use crate::operations::verify::suspects::key;
use crate::ports::{Document, Guard, Write};
use crate::stores::{one, put};

impl ReadModel<'_> {
    /// Puts the fresh views of `keys` in the place of the live ones, and returns those for which
    /// that was done.
    ///
    /// A view is first held: from then on it remembers every stream that feeds it. What fed it
    /// before was recorded before, and is in the fresh fold once the feed was read on for as long
    /// as it may lag behind; what fed it since is fetched stream by stream. So the fresh view has
    /// seen all that the held one has, and takes its place if nothing was written in between.
    pub(crate) async fn repair(
        &self,
        live: &dyn Rebuildable,
        scratch: &mut Scratch<'_>,
        pace: &mut Pace<'_>,
        mut keys: BTreeSet<String>,
    ) -> Result<BTreeSet<String>> {
        let mut done = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            if keys.is_empty() {
                break;
            }
            for id in &keys {
                self.hold(live, id).await?;
            }
            self.context.ports.clock.sleep(FEED_LAG_MAX).await;
            scratch.read_on(Live::Hears, pace, &mut |_| {}).await?;
            for id in std::mem::take(&mut keys) {
                match self.replace(live, scratch, &id).await? {
                    true => _ = done.insert(id),
                    false => _ = keys.insert(id),
                }
            }
        }
        Ok(done)
    }

    /// Makes the view of `id` remember every stream that feeds it from now on.
    async fn hold(&self, live: &dyn Rebuildable, id: &str) -> Result<()> {
        let documents = &*self.context.ports.documents;
        for _ in 0..ATTEMPTS_MAX {
            let document = one(documents, &key(live, id)).await?;
            let write = held(live, id, document.as_ref())?;
            match put(documents, write).await {
                Err(error) if error.is_conflict() => {}
                outcome => return outcome,
            }
        }
        // It is so busy that it is tried again in the next round.
        Ok(())
    }

    /// Puts the fresh view of `id` in the place of the held one. Says whether that was done.
    async fn replace(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        id: &str,
    ) -> Result<bool> {
        let documents = &*self.context.ports.documents;
        for _ in 0..ATTEMPTS_MAX {
            let Some(document) = one(documents, &key(live, id)).await? else { return Ok(false) };
            let stored = StoredView::read(&document).ok().filter(StoredView::is_held);
            let Some(stored) = stored else { return Ok(false) };
            let seen = scratch.catch_up_with(&stored).await?;
            scratch.let_live_catch_up(&seen).await?;
            let fresh = one(documents, &key(scratch.fresh(), id)).await?;
            let write = match fresh.as_ref().map(StoredView::read).transpose()? {
                Some(fresh) => {
                    let fresh = fresh.in_place_of(&stored, &seen);
                    live.write(id, &fresh, Some(&document))?
                }
                None => {
                    let guard = Guard::At(document.revision);
                    Write { guard, ..deletion(key(live, id)) }
                }
            };
            match put(documents, write).await {
                Err(error) if error.is_conflict() => {}
                outcome => return outcome.map(|()| true),
            }
        }
        Ok(false)
    }
}

/// The write that holds the view of `id`. One that cannot be read shows nothing any more.
fn held(live: &dyn Rebuildable, id: &str, document: Option<&Document>) -> Result<Write> {
    let stored = document.and_then(|document| StoredView::read(document).ok());
    if let Some(stored) = stored
        && let Ok(write) = live.write(id, &stored.held(), document)
    {
        return Ok(write);
    }
    live.write(id, &StoredView::default().forgetful().held(), document)
}
