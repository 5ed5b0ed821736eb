use std::collections::{BTreeMap, BTreeSet};

use crate::functions::Rebuildable;
use crate::functions::view::StoredView;
use crate::limits::PAGE_ITEMS_MAX;
use crate::operations::read_model::ReadModel;
use crate::operations::verify::judge::Verdict;
use crate::operations::verify::lists::{ListName, misplaced};
use crate::operations::verify::scratch::Scratch;
use crate::ports::{Document, DocumentKey, Revision, ScanQuery};
use crate::{Payload, Result};

/// How many views that differ are held in memory; what comes after them is compared once they are
/// judged.
pub(crate) const SUSPECTS_MAX: usize = 2_000;

/// How many lists are compared.
const LISTS_COMPARED_MAX: usize = 10_000;

/// A view that differed from the fresh one when it was looked at last.
#[derive(Debug)]
pub(crate) struct Suspect {
    /// The state that it was in.
    pub(crate) revision: Option<Revision>,
    /// The lists in which it was in another place.
    pub(crate) lists: BTreeSet<ListName>,
    pub(crate) verdict: Verdict,
}

/// Those that differ, by key.
pub(crate) type Suspects = BTreeMap<String, Suspect>;

/// How far the views were compared.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    stage: Stage,
    page: Option<String>,
    /// The lists that fresh views appear in and that are still to be compared.
    lists: BTreeSet<ListName>,
    compared: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The views that should be there.
    #[default]
    Fresh,
    /// Those that are there.
    Live,
    Lists,
    Done,
}

impl Cursor {
    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// How many views and lists were compared.
    pub(crate) fn compared(&self) -> u64 {
        self.compared
    }
}

impl ReadModel<'_> {
    /// The next views that differ, as many as may be held.
    pub(crate) async fn suspects(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        cursor: &mut Cursor,
    ) -> Result<Suspects> {
        let mut suspects = Suspects::new();
        while suspects.len() < SUSPECTS_MAX && !cursor.is_done() {
            match cursor.stage {
                Stage::Fresh => {
                    let collection = scratch.fresh().collection();
                    if self.compare(collection, live, scratch, cursor, &mut suspects).await? {
                        cursor.stage = Stage::Live;
                    }
                }
                Stage::Live => {
                    let collection = live.collection();
                    if self.compare(collection, live, scratch, cursor, &mut suspects).await? {
                        cursor.stage = Stage::Lists;
                    }
                }
                Stage::Lists => match cursor.lists.pop_first() {
                    Some(list) => self.compare_list(live, scratch, &list, &mut suspects).await?,
                    None => cursor.stage = Stage::Done,
                },
                Stage::Done => {}
            }
        }
        Ok(suspects)
    }

    /// Compares the views whose keys are on the next page of `collection`. Says whether it was the
    /// last page.
    async fn compare(
        &self,
        collection: &str,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        cursor: &mut Cursor,
        suspects: &mut Suspects,
    ) -> Result<bool> {
        let documents = &self.context.ports.documents;
        let (collection, page) = (collection.to_owned(), cursor.page.take());
        let query = ScanQuery { collection, limit: PAGE_ITEMS_MAX, cursor: page };
        let page = documents.scan(&query).await?;
        let keys = |of: &dyn Rebuildable| -> Vec<DocumentKey> {
            page.documents.iter().map(|found| key(of, &found.id)).collect()
        };
        let shown = documents.get(&keys(live)).await?;
        let expected = documents.get(&keys(scratch.fresh())).await?;
        for ((shown, expected), Document { id, .. }) in
            shown.into_iter().zip(expected).zip(&page.documents)
        {
            cursor.compared += u64::from(cursor.stage == Stage::Fresh);
            let fresh = expected.as_ref().map(StoredView::read).transpose()?;
            if let Some(fresh) = &fresh
                && cursor.stage == Stage::Fresh
                && cursor.lists.len() < LISTS_COMPARED_MAX
            {
                let listings = live.listings(id, fresh)?.into_iter();
                cursor.lists.extend(listings.map(|listing| (listing.list, listing.under)));
            }
            let stored = shown.as_ref().map(StoredView::read).transpose();
            let is_same = stored.is_ok_and(|stored| is_same(stored.as_ref(), fresh.as_ref()));
            if !is_same {
                let revision = shown.map(|shown| shown.revision);
                suspect(suspects, id, revision);
            }
        }
        cursor.page = page.next;
        Ok(cursor.page.is_none())
    }

    async fn compare_list(
        &self,
        live: &dyn Rebuildable,
        scratch: &Scratch<'_>,
        list: &ListName,
        suspects: &mut Suspects,
    ) -> Result<()> {
        let documents = &*self.context.ports.documents;
        for id in misplaced(documents, live, scratch.fresh(), list).await? {
            let shown = crate::stores::one(documents, &key(live, &id)).await?;
            suspect(suspects, &id, shown.map(|shown| shown.revision)).lists.insert(list.clone());
        }
        Ok(())
    }
}

fn suspect<'a>(
    suspects: &'a mut Suspects,
    id: &str,
    revision: Option<Revision>,
) -> &'a mut Suspect {
    let (lists, verdict) = (BTreeSet::new(), Verdict::Changing);
    suspects.entry(id.to_owned()).or_insert(Suspect { revision, lists, verdict })
}

/// Where `of` keeps the view of `id`.
pub(crate) fn key(of: &dyn Rebuildable, id: &str) -> DocumentKey {
    DocumentKey { collection: of.collection().to_owned(), id: id.to_owned() }
}

/// Whether two views show the same. One that was removed shows the same as none.
pub(crate) fn is_same(shown: Option<&StoredView>, expected: Option<&StoredView>) -> bool {
    let text = |stored: Option<&StoredView>| stored.and_then(|stored| stored.view().cloned());
    let (shown, expected) = (text(shown), text(expected));
    let is_either = shown.is_some() == expected.is_some();
    shown == expected || is_either && value(shown.as_ref()) == value(expected.as_ref())
}

/// The view as a tree, where the order of fields counts for nothing; `None` if there is none, or
/// no such tree.
pub(crate) fn value(view: Option<&Payload>) -> Option<serde_json::Value> {
    view.and_then(|view| view.decode().ok())
}
