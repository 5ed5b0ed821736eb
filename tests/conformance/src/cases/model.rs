//! Random calls, the same on every adapter, against a model of a few lines.

use std::collections::BTreeMap;

use skyfold::ports::{
    Consistency, DocumentKey, Guard, ListQuery, Listing, Order, Range, Revision, Write,
};
use skyfold::{Commit, ErrorKind, Head, StreamName, Version};

use super::documents::{body, key, put};
use super::world::stream;
use super::{Case, World, cases};

pub(super) const CASES: &[Case] =
    cases![random_appends_and_reads_match_the_model, random_writes_and_lists_match_the_model];

/// How many sequences of calls are made, and how many calls each.
const SEEDS: u64 = 24;
const CALLS: usize = 150;

/// What an event store is, in short: streams of commits, each with the version of its first event.
#[derive(Default)]
struct Streams(BTreeMap<StreamName, Vec<(u64, Commit)>>);

impl Streams {
    fn head(&self, stream: &StreamName) -> u64 {
        let newest = self.0.get(stream).and_then(|commits| commits.last());
        newest.map_or(0, |(first, commit)| first + commit.events().len() as u64 - 1)
    }

    fn append(&mut self, stream: &StreamName, expected: u64, commit: &Commit) -> bool {
        let is_head = self.head(stream) == expected;
        if is_head {
            let commits = self.0.entry(stream.clone()).or_default();
            commits.push((expected + 1, commit.clone()));
        }
        is_head
    }

    fn read(&self, stream: &StreamName, range: Range) -> Vec<(u64, Commit)> {
        let all = self.0.get(stream).cloned().unwrap_or_default();
        match range {
            Range::After(Version(after)) => {
                all.into_iter().filter(|(first, _)| *first > after).collect()
            }
            Range::Before(Version(before)) => {
                all.into_iter().rev().filter(|(first, _)| *first < before).collect()
            }
        }
    }
}

async fn random_appends_and_reads_match_the_model(world: World) {
    for seed in 0..SEEDS {
        let world = world.another().await;
        let mut random = fastrand::Rng::with_seed(seed);
        let mut model = Streams::default();
        let names: Vec<_> = (0..3).map(|n| stream(&format!("account-{n}"))).collect();
        // Every head that was ever seen: most of them are behind by the time they are used.
        let mut heads: Vec<Head> = names.iter().cloned().map(Head::empty).collect();
        for call in 0..CALLS {
            let what = format!("seed {seed}, call {call}");
            if random.bool() {
                let at = if random.bool() { heads.len() - 1 } else { random.usize(..heads.len()) };
                let head = heads[at].clone();
                let commit = world.commit(&call.to_string(), &["x"; 4][..random.usize(1..=4)]);
                let outcome = world.append(&head, &commit).await.map_err(|error| error.kind());
                let expected = match model.append(head.stream(), head.version().0, &commit) {
                    true => Ok(()),
                    false => Err(ErrorKind::Conflict),
                };
                assert_eq!(outcome, expected, "{what}");
                heads.push(world.head(head.stream()).await);
            } else {
                let name = random.choice(&names).unwrap();
                let version = Version(random.u64(..model.head(name) + 3));
                let range =
                    if random.bool() { Range::After(version) } else { Range::Before(version) };
                let limit = random.usize(1..=9);
                let read = world.ports.events.read(name, range, limit, Consistency::Strong);
                let slice = read.await.unwrap();
                let found: Vec<_> =
                    slice.commits.iter().map(|c| (c.first.0, c.commit.clone())).collect();
                let expected = model.read(name, range);
                assert!(found.len() <= limit && (slice.is_end || !found.is_empty()), "{what}");
                assert_eq!(found[..], expected[..found.len()], "{what}");
                assert!(!slice.is_end || found.len() == expected.len(), "{what}");
            }
        }
    }
}

/// What a document store is, in short.
#[derive(Default)]
struct Kept(BTreeMap<String, (Revision, String, Vec<Listing>)>);

impl Kept {
    fn holds(&self, id: &str, guard: &Guard) -> bool {
        let found = self.0.get(id).map(|(revision, ..)| revision);
        match guard {
            Guard::None => true,
            Guard::Absent => found.is_none(),
            Guard::At(revision) => found == Some(revision),
        }
    }

    fn listed(&self, list: usize, under: &str) -> Vec<String> {
        let places = self.0.iter().flat_map(|(id, (_, _, listings))| {
            let here = listings.iter().filter(|l| l.list == list && l.under == under);
            here.map(move |listing| (listing.by.clone(), id.clone()))
        });
        let mut places: Vec<_> = places.collect();
        places.sort();
        places.into_iter().map(|(_, id)| id).collect()
    }
}

fn random_write(random: &mut fastrand::Rng, revisions: &[Revision], nth: usize) -> Write {
    let id = random.usize(..6).to_string();
    let guard = match random.u8(..3) {
        0 => Guard::None,
        1 => Guard::Absent,
        _ => random.choice(revisions).cloned().map_or(Guard::Absent, Guard::At),
    };
    let mut listings = vec![];
    for list in 0..3 {
        if random.bool() {
            let (under, by) = (random.u8(..2).to_string(), random.u8(..5).to_string());
            listings.push(Listing { list, under, by });
        }
    }
    let write = Write { guard, listings, ..put(&id, &nth.to_string()) };
    match random.u8(..4) {
        0 => Write { body: None, listings: vec![], ..write },
        _ => write,
    }
}

async fn random_writes_and_lists_match_the_model(world: World) {
    for seed in 0..SEEDS {
        let world = world.another().await;
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut model, mut revisions) = (Kept::default(), vec![]);
        for call in 0..CALLS {
            let what = format!("seed {seed}, call {call}");
            // The newest revision as often as all the others together.
            let recent = revisions.len().saturating_sub(if random.bool() { 1 } else { 50 });
            let write = random_write(&mut random, &revisions[recent..], call);
            let holds = model.holds(&write.key.id, &write.guard);
            match world.write(write.clone()).await {
                Ok(revision) => {
                    assert!(holds, "{what}: {write:?}");
                    revisions.push(revision.clone());
                    let id = write.key.id.clone();
                    match write.body {
                        None => drop(model.0.remove(&id)),
                        Some(_) => {
                            drop(model.0.insert(id, (revision, call.to_string(), write.listings)))
                        }
                    }
                }
                Err(error) => {
                    assert!(!holds, "{what}: {write:?}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{what}: {error}");
                }
            }
        }
        matches(&world, &model, &format!("seed {seed}")).await;
    }
}

/// Checks every document and list against the model.
async fn matches(world: &World, model: &Kept, what: &str) {
    let keys: Vec<DocumentKey> = (0..6).map(|id| key(&id.to_string())).collect();
    let found = world.ports.documents.get(&keys).await.unwrap();
    for (key, found) in keys.iter().zip(found) {
        let found = found.map(|found| (found.revision, found.body));
        let expected = model.0.get(&key.id).map(|(at, text, _)| (at.clone(), body(text)));
        assert_eq!(found, expected, "{what}: document {}", key.id);
    }
    for list in 0..3 {
        for under in ["0", "1"] {
            let expected = model.listed(list, under);
            world
                .eventually(&format!("{expected:?}, {what}"), async || {
                    (read(world, list, under).await == expected).then_some(())
                })
                .await;
        }
    }
}

async fn read(world: &World, list: usize, under: &str) -> Vec<String> {
    let mut query = ListQuery {
        collection: key("").collection,
        list,
        under: under.into(),
        order: Order::Ascending,
        limit: 2,
        cursor: None,
    };
    let mut found = vec![];
    loop {
        let page = world.ports.documents.list(&query).await.unwrap();
        found.extend(page.documents.into_iter().map(|document| document.id));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return found;
        }
    }
}
