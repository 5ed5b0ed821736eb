mod scan;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use skyfold::adapter::{Seal, again, check_changes, check_keys, check_query, check_write};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{
    Clock, Document, DocumentKey, DocumentStore, Guard, ListQuery, Listing, Order, Page, Revision,
    ScanQuery, Write,
};
use skyfold::{DeadLetter, Error, ErrorKind, Payload, Result};
use time::OffsetDateTime;

use crate::clock::Time;

/// Documents by collection and id, with an index of every list.
pub(crate) struct Documents {
    kept: Mutex<Kept>,
    time: Time,
    seal: Seal,
}

#[derive(Default)]
struct Kept {
    /// How many writes there were: what makes revisions differ.
    writes: u64,
    documents: BTreeMap<DocumentKey, Stored>,
    lists: BTreeMap<List, BTreeSet<Place>>,
    expiries: BTreeSet<(OffsetDateTime, DocumentKey)>,
    /// What the newest writes replaced, the newest last: what a list shows that lags behind.
    replaced: VecDeque<(DocumentKey, Option<Stored>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Stored {
    revision: u64,
    pub(crate) body: Payload,
    pub(crate) listings: Vec<Listing>,
    expires: Option<OffsetDateTime>,
}

/// How many writes a list may lag behind.
pub(crate) const LAG_MAX: usize = 3;

/// Collection, which of its lists, and what the list is of.
type List = (String, usize, String);

/// What a list is ordered by, and the document's id.
type Place = (String, String);

impl Stored {
    fn document(&self, id: &str) -> Document {
        Document { id: id.to_owned(), revision: revision(self.revision), body: self.body.clone() }
    }
}

fn revision(write: u64) -> Revision {
    Revision(format!("r{write}"))
}

impl Documents {
    pub(crate) fn new(time: Time) -> Self {
        Self { kept: Mutex::default(), time, seal: Seal::new(fastrand::u64(..)) }
    }

    pub(crate) fn find(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        check_keys(keys)?;
        let kept = self.lock();
        let find = |key: &DocumentKey| kept.documents.get(key).map(|found| found.document(&key.id));
        Ok(keys.iter().map(find).collect())
    }

    pub(crate) fn put(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        if let Err(error) = check_changes(batch) {
            return batch.iter().map(|_| Err(again(&error))).collect();
        }
        let mut kept = self.lock();
        batch.iter().map(|write| check_write(write).and_then(|()| kept.apply(write))).collect()
    }

    /// Reads a list as if the newest `lag` writes had not been made yet.
    pub(crate) fn page(&self, query: &ListQuery, lag: usize) -> Result<Page> {
        check_query(query)?;
        let ListQuery { collection, list, under, order, limit, cursor } = query;
        let limit = (*limit).min(PAGE_ITEMS_MAX);
        let (list_text, order_text) = (list.to_string(), format!("{order:?}"));
        let scope = [collection.as_str(), &list_text, under, &order_text];
        let after = match cursor {
            None => None,
            Some(cursor) => Some(read_place(&self.seal.open("cursor", &scope, cursor)?)?),
        };
        let kept = self.lock();
        let lagging = kept.lagging(lag, self.time.now());
        let places = kept.places(&(collection.clone(), *list, under.clone()), &lagging);
        let mut found = places_from(&places, *order, after.as_ref(), limit + 1);
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more);
        let next = next.map(|place| self.seal.close(&scope, &write_place(place)));
        let documents = found.iter().filter_map(|(_, id)| {
            let key = DocumentKey { collection: collection.clone(), id: id.clone() };
            let stored = match lagging.get(&key) {
                Some(earlier) => *earlier,
                None => kept.documents.get(&key),
            };
            Some(stored?.document(id))
        });
        Ok(Page { documents: documents.collect(), next })
    }

    /// Every document, in order of collection and id.
    pub(crate) fn everything(&self) -> BTreeMap<DocumentKey, Stored> {
        self.lock().documents.clone()
    }

    /// Every text that is kept, also of what was replaced lately.
    pub(crate) fn texts(&self) -> Vec<String> {
        let kept = self.lock();
        let text = |key: &DocumentKey, stored: &Stored| {
            format!("{key:?} {:?} {}", stored.listings, stored.body)
        };
        let replaced =
            kept.replaced.iter().filter_map(|(key, stored)| Some((key, stored.as_ref()?)));
        kept.documents.iter().chain(replaced).map(|(key, stored)| text(key, stored)).collect()
    }

    /// The dead letters that wait. What is not one is not shown as one.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        let kept = self.lock();
        let of =
            |id: &str| DocumentKey { collection: DeadLetter::COLLECTION.into(), id: id.into() };
        let letters = kept.documents.range(of("")..);
        let letters = letters.take_while(|(key, _)| key.collection == DeadLetter::COLLECTION);
        let letters = letters.filter_map(|(_, stored)| stored.body.decode::<DeadLetter>().ok());
        letters.filter(DeadLetter::is_waiting).collect()
    }

    /// What is kept, without what has expired.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().expect("nothing panics while it holds the documents");
        kept.expire(self.time.now());
        kept
    }
}

impl Kept {
    fn apply(&mut self, write: &Write) -> Result<Revision> {
        let current = self.documents.get(&write.key).map(|stored| revision(stored.revision));
        let holds = match &write.guard {
            Guard::None => true,
            Guard::Absent => current.is_none(),
            Guard::At(expected) => current.as_ref() == Some(expected),
        };
        if !holds {
            let DocumentKey { collection, id } = &write.key;
            let found = current.map_or("absent".to_owned(), |Revision(current)| current);
            let message =
                format!("the document {id} of {collection} is {found}, not {:?}", write.guard);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let replaced = self.remove(&write.key);
        self.replaced.push_back((write.key.clone(), replaced));
        if self.replaced.len() > LAG_MAX {
            self.replaced.pop_front();
        }
        self.writes += 1;
        if let Some(body) = &write.body {
            let Write { key, listings, expires, .. } = write;
            let (body, listings) = (body.clone(), listings.clone());
            let stored = Stored { revision: self.writes, body, listings, expires: *expires };
            self.insert(key, stored);
        }
        Ok(revision(self.writes))
    }

    fn insert(&mut self, key: &DocumentKey, stored: Stored) {
        for listing in &stored.listings {
            let (list, place) = listed(key, listing);
            self.lists.entry(list).or_default().insert(place);
        }
        self.expiries.extend(stored.expires.map(|expires| (expires, key.clone())));
        self.documents.insert(key.clone(), stored);
    }

    fn remove(&mut self, key: &DocumentKey) -> Option<Stored> {
        let stored = self.documents.remove(key)?;
        for listing in &stored.listings {
            let (list, place) = listed(key, listing);
            if let Some(places) = self.lists.get_mut(&list) {
                places.remove(&place);
                if places.is_empty() {
                    self.lists.remove(&list);
                }
            }
        }
        if let Some(expires) = stored.expires {
            self.expiries.remove(&(expires, key.clone()));
        }
        Some(stored)
    }

    fn expire(&mut self, now: OffsetDateTime) {
        while let Some((expires, key)) = self.expiries.first()
            && *expires <= now
        {
            let key = key.clone();
            self.remove(&key);
            self.replaced.retain(|(replaced, _)| *replaced != key);
        }
    }

    /// What the newest `lag` writes replaced, as far as it has not expired `now`.
    fn lagging(&self, lag: usize, now: OffsetDateTime) -> BTreeMap<&DocumentKey, Option<&Stored>> {
        let is_shown = |stored: &&Stored| stored.expires.is_none_or(|expires| expires > now);
        // Of several writes of one document the earliest comes last, and is what counts.
        let replaced = self.replaced.iter().rev().take(lag);
        replaced.map(|(key, stored)| (key, stored.as_ref().filter(is_shown))).collect()
    }

    /// The places of `list` if what is `lagging` is shown as it was.
    fn places(
        &self,
        list: &List,
        lagging: &BTreeMap<&DocumentKey, Option<&Stored>>,
    ) -> Cow<'_, BTreeSet<Place>> {
        static NONE: BTreeSet<Place> = BTreeSet::new();
        let now = self.lists.get(list).unwrap_or(&NONE);
        if lagging.is_empty() {
            return Cow::Borrowed(now);
        }
        let is_lagging = |id: &String| {
            let key = DocumentKey { collection: list.0.clone(), id: id.clone() };
            lagging.contains_key(&key)
        };
        let steady = now.iter().filter(|(_, id)| !is_lagging(id)).cloned();
        let earlier = lagging.iter().flat_map(|(key, stored)| {
            let listings = stored.iter().flat_map(|stored| &stored.listings);
            listings.map(|listing| listed(key, listing))
        });
        let earlier = earlier.filter(|(of, _)| of == list).map(|(_, place)| place);
        Cow::Owned(steady.chain(earlier).collect())
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents = self.lock().documents.len();
        f.debug_struct("Documents").field("documents", &documents).finish_non_exhaustive()
    }
}

/// Where `listing` puts the document `key`.
fn listed(key: &DocumentKey, listing: &Listing) -> (List, Place) {
    let list = (key.collection.clone(), listing.list, listing.under.clone());
    (list, (listing.by.clone(), key.id.clone()))
}

/// The places of a list that follow `after`, at most `limit`.
fn places_from(
    places: &BTreeSet<Place>,
    order: Order,
    after: Option<&Place>,
    limit: usize,
) -> Vec<Place> {
    let bound = after.map_or(Bound::Unbounded, Bound::Excluded);
    match order {
        Order::Ascending => {
            places.range::<Place, _>((bound, Bound::Unbounded)).take(limit).cloned().collect()
        }
        Order::Descending => {
            places.range::<Place, _>((Bound::Unbounded, bound)).rev().take(limit).cloned().collect()
        }
    }
}

/// A place as text. What a list is ordered by holds no control character.
fn write_place((by, id): &Place) -> String {
    format!("{by}\n{id}")
}

fn read_place(text: &str) -> Result<Place> {
    let place = text.split_once('\n').map(|(by, id)| (by.to_owned(), id.to_owned()));
    place.ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the cursor holds {text:?}")))
}

#[async_trait]
impl DocumentStore for Documents {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        self.find(keys)
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        self.put(batch)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        self.page(query, 0)
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        self.scanned(query, 0)
    }
}
