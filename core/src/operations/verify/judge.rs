use std::time::Duration;

use crate::functions::Rebuildable;
use crate::functions::view::StoredView;
use crate::operations::read_model::ReadModel;
use crate::operations::verify::difference::differences;
use crate::operations::verify::lists::misplaced;
use crate::operations::verify::scratch::Scratch;
use crate::operations::verify::suspects::{Suspect, Suspects, is_same, key, value};
use crate::operations::verify::{Drift, DriftKind};
use crate::ports::{Consistency, Range};
use crate::stores::{Checkpoints, one};
use crate::{Result, StreamName, Version};

/// How long after it was recorded an event may be on its way to a view, before the view counts as
/// drifted rather than late.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// What is thought of a view that differed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It shows what it should.
    Same,
    /// It will, once what is on its way has come.
    Behind,
    /// It was written meanwhile: nothing can be said yet.
    Changing,
    /// It shows something else, and nothing that comes will change that.
    Drifted(DriftKind),
}

impl ReadModel<'_> {
    /// Looks at each of `suspects` again, drops those that are as they should be and returns those
    /// that have drifted. The others are left.
    ///
    /// The fresh views have heard everything recorded longer ago than the feed may lag behind, and
    /// so everything that a view which nobody has written since had seen.
    pub(crate) async fn judge(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        suspects: &mut Suspects,
    ) -> Result<Vec<Drift>> {
        let mut drifts = vec![];
        for (id, mut suspect) in std::mem::take(suspects) {
            let found = self.look(live, scratch, &id, &mut suspect).await?;
            match suspect.verdict {
                Verdict::Same => {}
                Verdict::Behind | Verdict::Changing => _ = suspects.insert(id, suspect),
                Verdict::Drifted(kind) => drifts.push(Drift { key: id, kind, ..found }),
            }
        }
        Ok(drifts)
    }

    /// Looks at one view again, and says where it differs.
    async fn look(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        id: &str,
        suspect: &mut Suspect,
    ) -> Result<Drift> {
        let documents = &*self.context.ports.documents;
        let document = one(documents, &key(live, id)).await?;
        let revision = document.as_ref().map(|document| document.revision.clone());
        let is_steady = revision == suspect.revision;
        suspect.revision = revision;
        let stored = document.as_ref().map(StoredView::read).transpose();
        if let Ok(Some(stored)) = &stored {
            scratch.catch_up_with(stored).await?;
        }
        let fresh = one(documents, &key(scratch.fresh(), id)).await?;
        let fresh = fresh.as_ref().map(StoredView::read).transpose()?;
        let mut drift = Drift {
            key: id.to_owned(),
            kind: DriftKind::Different,
            differences: vec![],
            is_repaired: false,
        };
        let Ok(stored) = stored else {
            suspect.verdict = Verdict::Drifted(DriftKind::Unreadable);
            return Ok(drift);
        };
        suspect.verdict = if is_same(stored.as_ref(), fresh.as_ref()) {
            self.look_at_lists(live, scratch, id, suspect, is_steady).await?
        } else if self.is_behind(live, stored.as_ref(), fresh.as_ref()).await? {
            Verdict::Behind
        } else if !is_steady {
            Verdict::Changing
        } else {
            let (shown, expected) = (shown(stored.as_ref()), shown(fresh.as_ref()));
            drift.differences = differences(shown.as_ref(), expected.as_ref());
            Verdict::Drifted(match (shown, expected) {
                (None, _) => DriftKind::Missing,
                (_, None) => DriftKind::Extra,
                _ => DriftKind::Different,
            })
        };
        Ok(drift)
    }

    /// Looks again at the lists in which a view was out of place, which is itself as it should be.
    async fn look_at_lists(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        id: &str,
        suspect: &Suspect,
        is_steady: bool,
    ) -> Result<Verdict> {
        for list in &suspect.lists {
            let documents = &*self.context.ports.documents;
            if misplaced(documents, live, scratch.fresh(), list).await?.contains(id) {
                let drifted = Verdict::Drifted(DriftKind::Listing);
                return Ok(if is_steady { drifted } else { Verdict::Changing });
            }
        }
        Ok(Verdict::Same)
    }

    /// Whether `fresh` has seen events that are still on their way to the view `stored`.
    async fn is_behind(
        &self,
        live: &dyn Rebuildable,
        stored: Option<&StoredView>,
        fresh: Option<&StoredView>,
    ) -> Result<bool> {
        let checkpoints = Checkpoints::new(&*self.context.ports.documents, live.collection());
        for (stream, version) in fresh.map(StoredView::all_seen).unwrap_or_default() {
            let seen = stored.and_then(|stored| stored.seen(stream)).unwrap_or(Version::EMPTY);
            if seen >= *version {
                continue;
            }
            let is_behind = match live.is_of_own_streams() {
                true => self.is_recent(stream, seen.next()).await?,
                false => checkpoints.get(stream).await? < *version,
            };
            if is_behind {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the event `version` of `stream` was recorded so lately that it may be on its way.
    async fn is_recent(&self, stream: &StreamName, version: Version) -> Result<bool> {
        let range = Range::Before(version.next());
        let read = self.context.ports.events.read(stream, range, 1, Consistency::Strong);
        let commit = read.await?.commits.pop();
        let now = self.context.ports.clock.now();
        Ok(commit.is_some_and(|commit| now - commit.commit.time() < DELIVERY_MAX))
    }
}

/// What a view shows.
fn shown(stored: Option<&StoredView>) -> Option<serde_json::Value> {
    value(stored.and_then(StoredView::view))
}
