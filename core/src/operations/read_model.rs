use serde::{Deserialize, Serialize};

use crate::functions::{Context, Rebuildable};
use crate::operations::progress::Journal;
use crate::revisions::pointer;
use crate::{Error, ErrorKind, Kind, Result, Runtime};

/// One read model, for those who look after it: replays it, compares it with the log, switches
/// between its revisions and removes old ones.
pub struct ReadModel<'a> {
    pub(crate) name: &'static str,
    pub(crate) context: &'a Context,
    /// Those that the app lists, the least first; never none.
    revisions: Vec<&'a dyn Rebuildable>,
}

/// What there is to know of one revision of a read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionState {
    /// The revision.
    pub revision: u32,
    /// The collection of its views.
    pub collection: String,
    /// Whether it answers.
    pub is_active: bool,
    /// How far it was built: by a replay that has ended, by one that has not, or only by what came
    /// live.
    pub built: Built,
}

/// How far a revision was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Built {
    /// By a replay of everything that has ended at least once, all of which could be handled.
    Replayed,
    /// By a replay that has not ended, or not all of which could be handled.
    InPart,
    /// By what was delivered since it was listed: all there is, if it was listed from the first
    /// event on.
    Live,
}

impl Runtime {
    /// The read model `name`, for those who look after it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is none; [`Invalid`](ErrorKind::Invalid) for a
    /// saga: it did its part when it heard the events, its own streams are the record of that, and
    /// to hear them again must not make it send its commands again.
    pub fn read_model(&self, name: &str) -> Result<ReadModel<'_>> {
        let functions = self.app().functions();
        let Some(function) = functions.get(name) else {
            return Err(Error::new(ErrorKind::NotFound, format!("no projection {name}")));
        };
        let Some(found) = function.rebuildable() else {
            return Err(not_rebuildable(name, function.descriptor().kind));
        };
        let name = found.name();
        let listed = functions.values().filter_map(|function| function.rebuildable());
        let mut revisions: Vec<_> = listed.filter(|listed| listed.name() == name).collect();
        revisions.sort_by_key(|listed| listed.revision());
        Ok(ReadModel { name, context: self.context(), revisions })
    }
}

fn not_rebuildable(name: &str, kind: Kind) -> Error {
    match kind {
        Kind::Saga => Error::invalid(format!(
            "{name} is a saga: what it asked for is on record in its own streams and is not asked \
             for again; only projections are rebuilt"
        )),
        _ => Error::new(ErrorKind::NotFound, format!("{name} is no projection: it keeps no views")),
    }
}

impl<'a> ReadModel<'a> {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The revisions that the app lists, the least first.
    pub(crate) fn listed(&self) -> Vec<u32> {
        self.revisions.iter().map(|listed| listed.revision()).collect()
    }

    /// The listed revision `wanted`, or the newest.
    pub(crate) fn revision(&self, wanted: Option<u32>) -> Result<&'a dyn Rebuildable> {
        let found = match wanted {
            None => self.revisions.last(),
            Some(wanted) => self.revisions.iter().find(|listed| listed.revision() == wanted),
        };
        found.copied().ok_or_else(|| {
            let (name, listed) = (self.name, self.listed());
            let wanted = wanted.unwrap_or_default();
            let message = format!("the app lists {name} in {listed:?}, not in revision {wanted}");
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// What there is to know of each revision that the app lists, the least first.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn revisions(&self) -> Result<Vec<RevisionState>> {
        let documents = &*self.context.ports.documents;
        let (pointer, _) = pointer(documents, self.name).await?;
        let active = pointer.active_of(&self.listed());
        let mut states = vec![];
        for listed in &self.revisions {
            let (revision, collection) = (listed.revision(), listed.collection().to_owned());
            let (_, saved) = Journal::open(documents, &collection).await?;
            let built = match saved {
                None => Built::Live,
                Some(saved) if saved.is_complete() => Built::Replayed,
                Some(_) => Built::InPart,
            };
            let is_active = revision == active;
            states.push(RevisionState { revision, collection, is_active, built });
        }
        Ok(states)
    }
}

impl std::fmt::Debug for ReadModel<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadModel")
            .field("name", &self.name)
            .field("revisions", &self.listed())
            .finish_non_exhaustive()
    }
}
