use crate::limits::{BATCH_DOCUMENTS_MAX, PAGE_ITEMS_MAX};
use crate::operations::progress::journal_key;
use crate::operations::read_model::ReadModel;
use crate::ports::{DocumentKey, DocumentStore, Guard, ScanQuery, Write};
use crate::revisions::{self, Pointer};
use crate::stores::{checkpoints, put};
use crate::{Error, ErrorKind, Result};

const _: () = assert!(PAGE_ITEMS_MAX <= BATCH_DOCUMENTS_MAX, "a page is removed at once");

/// How often a collection is looked through for what is left, since a scan may lag behind.
const PASSES_MAX: usize = 8;

impl ReadModel<'_> {
    /// Removes the views and checkpoints of `revision`, page by page, and tells `tell` after each
    /// how many there were so far. It needs no memory of where it was: what is left is what it
    /// still finds.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) if the app lists the revision, since live events would
    /// begin to build it again; those of the store.
    pub async fn remove(&self, revision: u32, mut tell: impl FnMut(u64) + Send) -> Result<u64> {
        if self.listed().contains(&revision) {
            let message = format!(
                "the app lists revision {revision} of {}, so that it hears events: take it out of \
                 the app first",
                self.name
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let documents = &*self.context.ports.documents;
        self.forget(revision).await?;
        let collection = format!("{}.{revision}", self.name);
        let mut removed = 0;
        for collection in [checkpoints(&collection), collection.clone()] {
            remove_all(documents, &collection, &mut |count| {
                removed += count;
                tell(removed);
            })
            .await?;
        }
        put(documents, deletion(journal_key(&collection))).await?;
        Ok(removed)
    }

    /// What is removed was never built, should somebody list it again.
    async fn forget(&self, revision: u32) -> Result<()> {
        let documents = &*self.context.ports.documents;
        let (pointer, document) = revisions::pointer(documents, self.name).await?;
        let active = pointer.active.filter(|active| *active != revision);
        let earlier = pointer.earlier.iter().copied().filter(|earlier| *earlier != revision);
        let left = Pointer { active, earlier: earlier.collect() };
        if left == pointer {
            return Ok(());
        }
        revisions::point(documents, self.name, &left, document).await
    }
}

/// Removes every document of `collection`, and tells `tell` of each page how many.
pub(crate) async fn remove_all(
    documents: &dyn DocumentStore,
    collection: &str,
    tell: &mut (dyn FnMut(u64) + Send),
) -> Result<()> {
    for _ in 0..PASSES_MAX {
        let (mut cursor, mut found) = (None, 0);
        loop {
            let collection = collection.to_owned();
            let query = ScanQuery { collection, limit: PAGE_ITEMS_MAX, cursor };
            let page = documents.scan(&query).await?;
            let key = |id| DocumentKey { collection: query.collection.clone(), id };
            let writes: Vec<_> =
                page.documents.into_iter().map(|document| deletion(key(document.id))).collect();
            if !writes.is_empty() {
                documents.write(&writes).await.into_iter().collect::<Result<Vec<_>>>()?;
                found += writes.len() as u64;
                tell(writes.len() as u64);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if found == 0 {
            return Ok(());
        }
    }
    let message = format!("{collection} still shows documents: somebody writes to it");
    Err(Error::new(ErrorKind::Conflict, message))
}

/// The write that removes a document, whatever it holds.
pub(crate) fn deletion(key: DocumentKey) -> Write {
    Write { key, body: None, listings: vec![], guard: Guard::None, expires: None }
}
