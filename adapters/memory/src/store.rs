use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use skyfold::adapter::{Seal, slice_of, unreadable, until_unreadable};
use skyfold::limits::PAGE_ITEMS_MAX;
use skyfold::ports::{Consistency, EventStore, Pricing, Range, Slice, Snapshot, Unreadable};
use skyfold::{
    Commit, Error, ErrorKind, Head, RecordedCommit, Result, StoredState, StreamName, Version,
};

use crate::wake::Wake;

/// How many slices the feed is cut into.
pub(crate) const SLICES: u16 = 4;

/// What a commit would cost on DynamoDB, the store whose pricing asks most of where a state is
/// placed: so each of the places is taken on memory as well.
const PRICING: Pricing = Pricing {
    write_unit_bytes: 1024,
    item_overhead_bytes: 100,
    read_bytes_per_write_unit: 40_960,
    state_bytes_max: 16 * 1024,
};

/// Streams of commits, each commit an item that was encoded when it came and is decoded whenever
/// it is read, as it would be on a cloud.
pub(crate) struct Store {
    log: Mutex<Log>,
    pub(crate) seal: Seal,
    wake: Wake,
}

struct Log {
    streams: HashMap<StreamName, Stream>,
    /// The items of each slice, in the order in which they came.
    slices: Vec<Vec<Arc<Item>>>,
    /// All items, in the order in which they came.
    all: Vec<Arc<Item>>,
}

#[derive(Default)]
struct Stream {
    /// By the version of the first event.
    items: BTreeMap<u64, Arc<Item>>,
    /// The version and the encoded state.
    snapshot: Option<(Version, String)>,
}

impl Stream {
    /// The version of the last event.
    fn head(&self) -> u64 {
        self.items.values().next_back().map_or(0, |item| item.first + item.count - 1)
    }
}

/// One commit.
#[derive(Debug)]
pub(crate) struct Item {
    stream: StreamName,
    first: u64,
    /// How many events it holds.
    count: u64,
    /// The commit as JSON.
    body: String,
}

impl Item {
    pub(crate) fn decode(&self) -> Result<RecordedCommit> {
        let commit = serde_json::from_str(&self.body).map_err(|error| {
            let message = format!("the commit {}@{} cannot be read", self.stream, self.first);
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })?;
        Ok(RecordedCommit { stream: self.stream.clone(), first: Version(self.first), commit })
    }

    /// The commit, or which one cannot be read.
    pub(crate) fn found(&self) -> Result<RecordedCommit, Unreadable> {
        let (stream, first) = (self.stream.as_str(), self.first.to_string());
        self.decode().map_err(|error| unreadable(Some(stream), Some(&first), &error))
    }
}

impl Store {
    pub(crate) fn new(wake: Wake) -> Self {
        let slices = vec![vec![]; usize::from(SLICES)];
        let log = Log { streams: HashMap::new(), slices, all: vec![] };
        Self { log: Mutex::new(log), seal: Seal::new(fastrand::u64(..)), wake }
    }

    /// Creates the item of `commit` unless there is one in its place.
    pub(crate) fn create(&self, expected: &Head, commit: &Commit) -> Result<()> {
        let stream = expected.stream();
        let first = expected.version().next().0;
        let body = encode(stream, commit)?;
        let count = commit.events().len() as u64;
        let item = Arc::new(Item { stream: stream.clone(), first, count, body });

        let mut log = self.lock();
        let entry = log.streams.entry(stream.clone()).or_default();
        // The first is all that a cloud's conditional create checks. The second can only fail for
        // a head that is not of this store, and keeps the stream dense even then.
        if entry.items.contains_key(&first) || entry.head() != expected.version().0 {
            let message =
                format!("{stream} is at version {}, not {}", entry.head(), expected.version());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        entry.items.insert(first, item.clone());
        log.slices[usize::from(slice_of(stream, SLICES))].push(item.clone());
        log.all.push(item);
        drop(log);
        self.wake.ring();
        Ok(())
    }

    /// Puts what is no commit in the place of the one of `stream` that begins at `first`.
    pub(crate) fn spoil(&self, stream: &StreamName, first: Version) -> Result<()> {
        let mut log = self.lock();
        let items = log.streams.get_mut(stream).map(|stream| &mut stream.items);
        let Some(item) = items.and_then(|items| items.get_mut(&first.0)) else {
            let message = format!("there is no commit {stream}@{first}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let (count, body) = (item.count, "{".to_owned());
        let spoilt = Arc::new(Item { stream: stream.clone(), first: first.0, count, body });
        let whole = std::mem::replace(item, spoilt.clone());
        let Log { slices, all, .. } = &mut *log;
        let places = slices.iter_mut().flatten().chain(all);
        places.filter(|item| Arc::ptr_eq(item, &whole)).for_each(|item| *item = spoilt.clone());
        Ok(())
    }

    /// Reads a part of `stream` as if its `hidden` newest commits were not there yet.
    pub(crate) fn slice(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        hidden: usize,
    ) -> Result<Slice> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let mut items: Vec<Arc<Item>> = {
            let log = self.lock();
            let Some(stream) = log.streams.get(stream) else {
                return Ok(Slice { commits: vec![], is_end: true });
            };
            let until = match hidden.checked_sub(1) {
                None => u64::MAX,
                Some(oldest) => stream.items.keys().rev().nth(oldest).copied().unwrap_or(0),
            };
            let taken = limit + 1;
            match range {
                Range::After(Version(after)) => {
                    let from = after.saturating_add(1).min(until);
                    stream
                        .items
                        .range(from..until)
                        .take(taken)
                        .map(|(_, item)| item.clone())
                        .collect()
                }
                Range::Before(Version(before)) => {
                    let before = before.min(until);
                    let newest = stream.items.range(..before).rev();
                    newest.take(taken).map(|(_, item)| item.clone()).collect()
                }
            }
        };
        let is_end = items.len() <= limit;
        items.truncate(limit);
        until_unreadable(items.iter().map(|item| item.decode()), is_end)
    }

    /// Keeps `snapshot` unless a newer one is there.
    pub(crate) fn keep_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        let body = encode(stream, &snapshot.state)?;
        let mut log = self.lock();
        let kept = &mut log.streams.entry(stream.clone()).or_default().snapshot;
        if kept.as_ref().is_none_or(|(version, _)| *version <= snapshot.version) {
            *kept = Some((snapshot.version, body));
        }
        Ok(())
    }

    pub(crate) fn kept_snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        let log = self.lock();
        let kept = log.streams.get(stream).and_then(|stream| stream.snapshot.as_ref());
        let Some((version, body)) = kept else { return Ok(None) };
        let state: StoredState = serde_json::from_str(body).map_err(|error| {
            let message = format!("the snapshot of {stream} cannot be read");
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })?;
        Ok(Some(Snapshot { version: *version, state }))
    }

    /// The items of `slice` from the `start`th, at most `limit`, and how many the slice has.
    pub(crate) fn items(&self, slice: u16, start: usize, limit: usize) -> (Vec<Arc<Item>>, usize) {
        let log = self.lock();
        let items = &log.slices[usize::from(slice)];
        let page = items.iter().skip(start).take(limit).cloned().collect();
        (page, items.len())
    }

    /// The newest items, newest first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<Arc<Item>> {
        self.lock().all.iter().rev().take(limit).cloned().collect()
    }

    /// Every stream's items, in order of the streams' names and of version.
    pub(crate) fn everything(&self) -> BTreeMap<StreamName, Vec<Arc<Item>>> {
        let log = self.lock();
        let filled = log.streams.iter().filter(|(_, stream)| !stream.items.is_empty());
        filled
            .map(|(name, stream)| (name.clone(), stream.items.values().cloned().collect()))
            .collect()
    }

    /// Every text that is kept.
    pub(crate) fn texts(&self) -> Vec<String> {
        let log = self.lock();
        let streams = log.streams.values();
        let snapshots = streams.filter_map(|stream| Some(stream.snapshot.as_ref()?.1.clone()));
        let items = log.all.iter().map(|item| format!("{} {}", item.stream, item.body));
        items.chain(snapshots).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("nothing panics while it holds the log")
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("commits", &self.lock().all.len()).finish_non_exhaustive()
    }
}

fn encode<T: serde::Serialize>(stream: &StreamName, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        let message = format!("what is to be kept of {stream} has no JSON form");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })
}

#[async_trait]
impl EventStore for Store {
    fn pricing(&self) -> Pricing {
        PRICING
    }

    async fn append(&self, expected: &Head, commit: &Commit) -> Result<()> {
        self.create(expected, commit)
    }

    async fn read(
        &self,
        stream: &StreamName,
        range: Range,
        limit: usize,
        _: Consistency,
    ) -> Result<Slice> {
        self.slice(stream, range, limit, 0)
    }

    async fn snapshot(&self, stream: &StreamName) -> Result<Option<Snapshot>> {
        self.kept_snapshot(stream)
    }

    async fn save_snapshot(&self, stream: &StreamName, snapshot: &Snapshot) -> Result<()> {
        self.keep_snapshot(stream, snapshot)
    }
}
