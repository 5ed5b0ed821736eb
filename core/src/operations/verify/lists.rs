use std::collections::BTreeSet;

use crate::Result;
use crate::functions::Rebuildable;
use crate::limits::PAGE_ITEMS_MAX;
use crate::operations::verify::suspects::SUSPECTS_MAX;
use crate::ports::{DocumentStore, ListQuery, Order};

/// Which list of a collection, and what it is of.
pub(crate) type ListName = (usize, String);

/// The ids of documents that are in another place of `list` in `live` than in `fresh`, or in one
/// of them alone; as many as may be held.
pub(crate) async fn misplaced(
    documents: &dyn DocumentStore,
    live: &dyn Rebuildable,
    fresh: &dyn Rebuildable,
    list: &ListName,
) -> Result<BTreeSet<String>> {
    let (mut shown, mut expected) = (Reader::new(live, list), Reader::new(fresh, list));
    // Those met on one side so far and not on the other; those met on both, but not side by side.
    let (mut ahead, mut behind, mut moved) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    loop {
        let (one, other) = (shown.next(documents).await?, expected.next(documents).await?);
        if one.is_none() && other.is_none() {
            break;
        }
        if one == other && ahead.is_empty() && behind.is_empty() {
            continue;
        }
        let is_moved = [met(one, &mut ahead, &mut behind), met(other, &mut behind, &mut ahead)];
        moved.extend(is_moved.into_iter().flatten());
        if ahead.len().max(behind.len()) >= SUSPECTS_MAX {
            break;
        }
    }
    let lonely: BTreeSet<_> = ahead.into_iter().chain(behind).collect();
    // One that is missing, or too many, shifts all that follow it: they are in their places.
    Ok(if lonely.is_empty() { moved } else { lonely })
}

/// Notes that one side shows `id`. Returns it if the other side has shown it before.
fn met(
    id: Option<String>,
    mine: &mut BTreeSet<String>,
    theirs: &mut BTreeSet<String>,
) -> Option<String> {
    let id = id?;
    if theirs.remove(&id) {
        return Some(id);
    }
    mine.insert(id);
    None
}

/// Reads a list, id by id.
struct Reader {
    query: ListQuery,
    page: std::vec::IntoIter<String>,
    is_end: bool,
}

impl Reader {
    fn new(of: &dyn Rebuildable, (list, under): &ListName) -> Self {
        let query = ListQuery {
            collection: of.collection().to_owned(),
            list: *list,
            under: under.clone(),
            order: Order::Ascending,
            limit: PAGE_ITEMS_MAX,
            cursor: None,
        };
        Self { query, page: vec![].into_iter(), is_end: false }
    }

    async fn next(&mut self, documents: &dyn DocumentStore) -> Result<Option<String>> {
        loop {
            if let Some(id) = self.page.next() {
                return Ok(Some(id));
            }
            if self.is_end {
                return Ok(None);
            }
            let page = documents.list(&self.query).await?;
            let ids: Vec<_> = page.documents.into_iter().map(|document| document.id).collect();
            self.page = ids.into_iter();
            self.is_end = page.next.is_none();
            self.query.cursor = page.next;
        }
    }
}
