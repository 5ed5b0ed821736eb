use std::fmt;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::{Payload, Result};

/// Identifies one state of a document; only the store that made it understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(pub String);

/// Names a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentKey {
    /// The collection it is in: a name of core's own making, of `a-z 0-9 . - _`.
    pub collection: String,
    /// Unique within the collection: any text of 1 to
    /// [`DOCUMENT_ID_CHARS_MAX`](crate::limits::DOCUMENT_ID_CHARS_MAX) characters, none a control
    /// character.
    pub id: String,
}

/// A place of a document in a list, such as an order's among the orders of one customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// Which list of the collection, from 0, below [`LISTS_MAX`](crate::limits::LISTS_MAX).
    pub list: usize,
    /// What the list is of: the customer.
    pub under: String,
    /// What the list is ordered by, as text: the date.
    pub by: String,
}

/// A document as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its id within the collection.
    pub id: String,
    /// Its state.
    pub revision: Revision,
    /// Its content.
    pub body: Payload,
}

/// What must hold for a write to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    None,
    /// There is no such document.
    Absent,
    /// The document is at this revision.
    At(Revision),
}

/// A change to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which document.
    pub key: DocumentKey,
    /// Its new content; `None` deletes it.
    pub body: Option<Payload>,
    /// The lists it appears in from now on, each at most once.
    pub listings: Vec<Listing>,
    /// What must hold.
    pub guard: Guard,
    /// When the store may forget it.
    pub expires: Option<OffsetDateTime>,
}

/// Which way to read a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the least [`Listing::by`].
    #[default]
    Ascending,
    /// From the greatest.
    Descending,
}

/// Which part of a list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// The collection.
    pub collection: String,
    /// Which of its lists, from 0.
    pub list: usize,
    /// What the list is of.
    pub under: String,
    /// Which way.
    pub order: Order,
    /// At most this many, of at most [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX).
    pub limit: usize,
    /// Where an earlier page of the same query ended.
    pub cursor: Option<String>,
}

/// Which part of a whole collection to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanQuery {
    /// The collection.
    pub collection: String,
    /// At most this many, of at most [`PAGE_ITEMS_MAX`](crate::limits::PAGE_ITEMS_MAX).
    pub limit: usize,
    /// Where an earlier page of the same collection ended.
    pub cursor: Option<String>,
}

/// Part of a list, or of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Of a list: documents in order of [`Listing::by`], then of their ids, both by code point; or
    /// all of that in reverse. Of a collection: documents in an order of the store's own.
    pub documents: Vec<Document>,
    /// Where to read on, if there is more.
    pub next: Option<String>,
}

/// Keeps JSON documents.
///
/// # Contract
///
/// - A get sees every write that returned before it began. A list or scan may lag behind.
/// - Writes of one batch succeed or fail each on its own, in no particular order, and the outcomes
///   are in the order of the batch.
/// - A failed guard is a [`Conflict`](crate::ErrorKind::Conflict) and writes nothing; of several
///   writers with the same guard one succeeds.
/// - Every write gives the document another revision than it ever had.
/// - Deleting what does not exist succeeds, unless a guard says otherwise.
/// - Two different ids are two documents, whatever characters they hold.
/// - A document is in the lists of its last write and in no other.
/// - A scan shows every document of its collection and none of another. A page of it may hold fewer
///   than asked for, or none, before the end.
/// - A cursor stays usable while documents come and go: none that stayed in place is left out or
///   shown twice.
/// - A cursor that this store did not make, or made for another list or collection, is
///   [`Invalid`](crate::ErrorKind::Invalid).
/// - A document is never shown after it expired, though it may be kept longer; to a guard it is
///   absent.
#[async_trait]
pub trait DocumentStore: fmt::Debug + Send + Sync + 'static {
    /// The documents of `keys`, each in the same place, where they exist. At most
    /// [`BATCH_DOCUMENTS_MAX`](crate::limits::BATCH_DOCUMENTS_MAX) keys, all different.
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>>;

    /// Makes each change, and returns each outcome in the same place. At most
    /// [`BATCH_DOCUMENTS_MAX`](crate::limits::BATCH_DOCUMENTS_MAX) changes of different documents.
    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>>;

    /// A page of a list.
    async fn list(&self, query: &ListQuery) -> Result<Page>;

    /// A page of a collection: for rebuild, verification and removal, never on the way of a
    /// request.
    async fn scan(&self, query: &ScanQuery) -> Result<Page>;
}
