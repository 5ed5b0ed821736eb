//! Compares the views of a read model with a fresh fold of the log, and puts right what has
//! drifted.

mod difference;
mod judge;
mod lists;
mod repair;
mod scratch;
mod suspects;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use self::difference::Difference;
use self::judge::Verdict;
pub(crate) use self::scratch::{Live, Scratch};
use self::suspects::{Cursor, Suspects};
use crate::Result;
use crate::limits::FEED_LAG_MAX;
use crate::operations::pace::Pace;
use crate::operations::progress::Unhandled;
use crate::operations::read_model::ReadModel;

/// How often a view that differs is looked at again before it is judged.
const ROUNDS_MAX: usize = 4;

/// How many drifted views are told; the others are counted.
const DRIFTS_MAX: usize = 100;

/// What to compare, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Verify {
    /// Which revision; the newest that the app lists, if not given.
    pub revision: Option<u32>,
    /// At most so many events a second.
    pub rate: Option<NonZeroU32>,
    /// What to do about what has drifted.
    pub on_drift: OnDrift,
}

/// What to do about views that have drifted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDrift {
    /// Tell it, and write nothing but the fresh fold, in a collection of its own.
    #[default]
    Report,
    /// Put the fresh fold in their place.
    Repair,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The revision that was compared.
    pub revision: u32,
    /// How many events were folded.
    pub events: u64,
    /// How many views and places of views were compared.
    pub views: u64,
    /// How many views have drifted.
    pub drifted: u64,
    /// How many of those were put right.
    pub repaired: u64,
    /// How many views are only late: their events are on their way.
    pub behind: u64,
    /// How many views changed so fast that they could not be compared as of one moment; a repair
    /// can.
    pub changing: u64,
    /// The first of those that have drifted.
    pub drifts: Vec<Drift>,
    /// Events that cannot be handled, one for each stream that waits behind one; at most 100.
    pub unhandled: Vec<Unhandled>,
}

impl Verified {
    /// Whether no view has drifted but those that were put right.
    pub fn is_sound(&self) -> bool {
        self.drifted == self.repaired
    }
}

/// A view that does not show what its events come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// Its key.
    pub key: String,
    /// How it has drifted.
    pub kind: DriftKind,
    /// Where it differs: the first ten places.
    pub differences: Vec<Difference>,
    /// Whether it was put right.
    pub is_repaired: bool,
}

/// How a view has drifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// It is not there.
    Missing,
    /// It is there, and no event leads to it.
    Extra,
    /// It shows something else.
    Different,
    /// It cannot be read.
    Unreadable,
    /// It is in another place of a list, or in none.
    Listing,
}

impl ReadModel<'_> {
    /// Compares each view with a fresh fold of the log, which is built in a collection of its own
    /// and removed in the end, and tells `tell` how many events were folded so far.
    ///
    /// A view that differs is looked at again, until it and the fold have seen the same: what comes
    /// live meanwhile is not drift. A view fed by many streams is taken to depend on the order
    /// within each stream alone, since no other order is promised to it.
    ///
    /// With [`OnDrift::Repair`] the live views first hear of whatever they have missed, and the
    /// fresh view takes the place of one that has drifted, exactly: no live event is lost or
    /// doubled by it. The views go on answering meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the stores. What was repaired by then is repaired; another run begins anew.
    pub async fn verify(
        &self,
        verify: &Verify,
        mut tell: impl FnMut(u64) + Send,
    ) -> Result<Verified> {
        let live = self.revision(verify.revision)?;
        let clock = self.context.ports.clock.clone();
        let mut pace = Pace::new(&*clock, verify.rate);
        let mut scratch = Scratch::begin(self.context, live).await?;
        let hears = match verify.on_drift {
            OnDrift::Repair => Live::Hears,
            OnDrift::Report => Live::LeftAlone,
        };
        let mut verified = Verified { revision: live.revision(), ..Verified::default() };
        scratch.read_on(hears, &mut pace, &mut tell).await?;
        let mut cursor = Cursor::default();
        while !cursor.is_done() {
            let mut suspects = self.suspects(live, &scratch, &mut cursor).await?;
            let (mut round, mut drifts) = (0, vec![]);
            while !suspects.is_empty() && round < ROUNDS_MAX {
                round += 1;
                clock.sleep(FEED_LAG_MAX).await;
                scratch.read_on(hears, &mut pace, &mut tell).await?;
                drifts.extend(self.judge(live, &scratch, &mut suspects).await?);
            }
            if verify.on_drift == OnDrift::Repair {
                let keys = drifts.iter().map(|drift| &drift.key).chain(suspects.keys());
                let keys = keys.cloned().collect();
                let repaired = self.repair(live, &mut scratch, &mut pace, keys).await?;
                suspects.retain(|key, _| !repaired.contains(key));
                for drift in &mut drifts {
                    drift.is_repaired = repaired.contains(&drift.key);
                }
            }
            verified.note(drifts, &suspects);
        }
        verified.views = cursor.compared();
        verified.events = scratch.events;
        verified.unhandled = scratch.unhandled.values().cloned().collect();
        scratch.remove().await?;
        Ok(verified)
    }
}

impl Verified {
    fn note(&mut self, drifts: Vec<Drift>, unsettled: &Suspects) {
        self.drifted += drifts.len() as u64;
        self.repaired += drifts.iter().filter(|drift| drift.is_repaired).count() as u64;
        let room = DRIFTS_MAX.saturating_sub(self.drifts.len());
        self.drifts.extend(drifts.into_iter().take(room));
        let of = |verdict| unsettled.values().filter(|suspect| suspect.verdict == verdict).count();
        self.behind += of(Verdict::Behind) as u64;
        self.changing += of(Verdict::Changing) as u64;
    }
}
