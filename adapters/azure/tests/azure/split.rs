use std::collections::BTreeMap;

use conformance::Host as _;
use conformance::domain::{Account, Command};
use skyfold::ports::{EventFeed, FeedQuery, Position};
use skyfold::{
    App, CommandId, CommandRequest, Payload, Runtime, StreamId, StreamName, Trigger, Version,
};

use crate::common::{Place, cosmos, names};

/// How many streams there are: some in every slice.
const STREAMS: usize = 64;

/// How many commits each has before the partitions split, and again after.
const COMMITS: usize = 2;

/// How many partitions a container has at first.
pub(crate) const PARTITIONS: u32 = 4;

/// How often a command is given before something must be wrong.
const ATTEMPTS_MAX: usize = 50;

/// How many commits of a slice are read before the partitions split, at most.
const PAGES: usize = 1;

/// Reads `pages` pages of each slice on from where `at` says, into the versions of each stream.
async fn read(
    feed: &dyn EventFeed,
    pages: usize,
    at: &mut BTreeMap<u16, Position>,
    found: &mut BTreeMap<StreamName, Vec<(u16, Version)>>,
) {
    for slice in 0..feed.slices() {
        for _ in 0..pages {
            let page = feed.read(slice, &FeedQuery::default(), at.get(&slice)).await.unwrap();
            at.insert(slice, page.next);
            for commit in page.commits {
                found.entry(commit.stream).or_default().push((slice, commit.first));
            }
            if page.is_tail {
                break;
            }
        }
    }
}

/// Gives each stream its commits: again what a partition did not take that splits.
async fn fill(runtime: &Runtime) {
    for nth in 0..STREAMS * COMMITS {
        let request = CommandRequest {
            stream: StreamId::new((nth % STREAMS).to_string()).unwrap(),
            id: CommandId::fresh(runtime.now()),
            command: Payload::encode(&Command::Deposit { cents: 1 }).unwrap(),
            expected: None,
            metadata: Default::default(),
        };
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS_MAX {
            let given = runtime.invoke("account", Trigger::Command(request.clone())).await;
            outcome = given.map(|_| ());
            match &outcome {
                Err(error) if error.is_transient() => {}
                _ => break,
            }
        }
        outcome.unwrap();
    }
}

pub(crate) async fn the_feed_goes_on_where_it_was_after_partitions_have_split() {
    let place = Place::open().await.unwrap();
    let runtime = App::new("bank").decider::<Account>().bind(place.ports()).unwrap();
    let (mut at, mut found) = (BTreeMap::new(), BTreeMap::new());
    fill(&runtime).await;
    read(&*place.ports().feed, PAGES, &mut at, &mut found).await;
    for partition in 0..PARTITIONS {
        cosmos().split(place.database(), &names("", "").events, partition).unwrap();
    }
    fill(&runtime).await;
    read(&*place.ports().feed, usize::MAX, &mut at, &mut found).await;
    assert_eq!(found.len(), STREAMS);
    for (stream, places) in found {
        let slice = places[0].0;
        let expected: Vec<_> = (1..=2 * COMMITS as u64).map(|n| (slice, Version(n))).collect();
        assert_eq!(places, expected, "{stream}");
    }
}
