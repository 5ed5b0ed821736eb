use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::operations::read_model::{Built, ReadModel};
use crate::revisions::pointer;
use crate::{Result, Runtime};

/// The revision of a read model that never had another: it heard events from the first on.
const FIRST: u32 = 1;

/// A revision that the app lists and that was never complete: what it shows may lack what was
/// recorded before it was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unbuilt {
    /// The read model.
    pub name: String,
    /// The revision.
    pub revision: u32,
    /// Whether it answers all the same.
    pub is_active: bool,
    /// How far it was built.
    pub built: Built,
}

/// The revisions that the app lists and that were never complete. An app that lists no revision
/// above the first asks nobody; one that was begun with a later one is told of it until it was
/// replayed once.
pub(crate) async fn unbuilt(runtime: &Runtime) -> Result<Vec<Unbuilt>> {
    let listed = runtime.app().functions().values().filter_map(|function| function.rebuildable());
    let later = listed.filter(|model| model.revision() != FIRST).map(|model| model.name());
    let mut found = vec![];
    for name in later.collect::<BTreeSet<_>>() {
        found.extend(runtime.read_model(name)?.unbuilt().await?);
    }
    Ok(found)
}

impl ReadModel<'_> {
    async fn unbuilt(&self) -> Result<Vec<Unbuilt>> {
        let (pointer, _) = pointer(&*self.context.ports.documents, self.name).await?;
        let listed = self.listed();
        // The least of several was there before the others.
        let least = listed.first().filter(|_| listed.len() > 1).copied().unwrap_or(FIRST);
        let mut found = vec![];
        for state in self.revisions().await? {
            let revision = state.revision;
            let has_answered =
                pointer.active == Some(revision) || pointer.earlier.contains(&revision);
            if state.built == Built::Replayed || has_answered || revision == least {
                continue;
            }
            let (name, is_active, built) = (self.name.to_owned(), state.is_active, state.built);
            found.push(Unbuilt { name, revision, is_active, built });
        }
        Ok(found)
    }
}
