//! Every recorded event is announced, and what was not announced is said.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use skyfold::host::Tail;
use skyfold::ports::{FeedQuery, Publisher};
use skyfold::{
    Announced, CloudEvent, Error, ErrorKind, Failed, Ports, RecordedCommit, Reply, Result, Trigger,
    Version,
};

use super::bank::{account, deposit, note, open, request, trouble};
use super::world::id;
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Account, Balances, Command};

pub(super) const CASES: &[Case] = cases![
    every_event_of_every_commit_is_announced,
    an_announcement_says_what_was_recorded,
    a_sagas_own_stream_is_not_announced,
    what_could_not_be_announced_is_said,
    only_what_failed_is_announced_again,
    an_announcement_whose_answer_was_lost_is_made_again,
    what_a_bus_refuses_for_good_is_announced_by_reference,
    a_commit_that_cannot_be_read_stops_its_stream_alone,
];

async fn relay(bank: &Bank, commits: Vec<RecordedCommit>) -> Vec<Failed> {
    match bank.runtime.invoke("relay", Trigger::Commits(commits)).await.unwrap() {
        Reply::Handled(failed) => failed,
        reply => panic!("the relay handles commits, and says {reply:?}"),
    }
}

async fn every_event_of_every_commit_is_announced(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    let mut expected = vec![];
    for n in 0..9 {
        let name = n.to_string();
        bank.accept(&name, "a", &open("ada")).await;
        bank.accept(&name, "b", &note("x", 1 + n)).await;
        expected.extend(world.news(&account(&name)).await);
    }
    let commits = world
        .eventually("every commit", async || {
            let commits = world.feed(&FeedQuery::default()).await;
            (commits.len() == 18).then_some(commits)
        })
        .await;
    assert!(relay(&bank, commits).await.is_empty());
    assert!(relay(&bank, vec![]).await.is_empty());
    let mut announced: Vec<_> =
        mailbox.events().into_iter().map(|event| event.into_announced().unwrap()).collect();
    announced.sort_by_key(Announced::id);
    assert_eq!(announced, expected);
}

async fn an_announcement_says_what_was_recorded(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    let metadata = skyfold::Metadata {
        correlation: Some("business".into()),
        causation: Some("account-9@9".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    };
    let request = request::<Account>("1", "c1", &note("größe", 2));
    let trigger = Trigger::Command(skyfold::CommandRequest { metadata, ..request });
    bank.runtime.invoke("account", trigger).await.unwrap();
    relay(&bank, world.commits(&account("1")).await).await;
    let events = world.events(&account("1")).await;
    let second = serde_json::to_value(&mailbox.events()[1]).unwrap();
    let time = &events[1].time;
    let time = time.format(&time::format_description::well_known::Rfc3339).unwrap();
    let expected = serde_json::json!({
        "specversion": "1.0",
        "id": "account-1@2",
        "source": "/bank",
        "type": "account.Noted",
        "subject": "account-1",
        "partitionkey": "account-1",
        "sequence": "00000000000000000002",
        "dataschema": "urn:skyfold:bank:account.Noted.1",
        "datacontenttype": "application/json",
        "time": time,
        "causationid": "c1",
        "correlationid": "business",
        "parentid": "account-9@9",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": { "text": "größe" },
    });
    assert_eq!(second, expected);
}

async fn a_sagas_own_stream_is_not_announced(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    bank.accept("1", "a", &deposit(5)).await;
    let send = Command::Send { transfer: id("t"), to: id("2"), cents: 5 };
    bank.accept("1", "b", &send).await;
    bank.handle("transfer", &world.news(&account("1")).await).await;
    let mut commits = world.commits(&"saga.transfer-t".parse().unwrap()).await;
    assert_eq!(commits.len(), 1);
    commits.extend(world.commits(&account("1")).await);
    assert!(relay(&bank, commits).await.is_empty());
    let subjects: Vec<_> = mailbox.events().into_iter().map(|event| event.subject).collect();
    assert_eq!(subjects, [account("1"), account("1")]);
}

/// A bus that fails announcements by event, as a script says, and remembers each batch.
#[derive(Clone, Debug)]
struct Bus {
    inner: Arc<dyn Publisher>,
    /// For each version, the errors of its announcements, the first one last.
    script: Arc<Mutex<Vec<(u64, ErrorKind)>>>,
    batches: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Bus {
    fn on(ports: &Ports, script: &[(u64, ErrorKind)]) -> (Self, Ports) {
        let script = Arc::new(Mutex::new(script.to_vec()));
        let bus = Self { inner: ports.publisher.clone(), script, batches: Arc::default() };
        (bus.clone(), Ports { publisher: Arc::new(bus), ..ports.clone() })
    }

    fn batches(&self) -> Vec<Vec<u64>> {
        self.batches.lock().unwrap().clone()
    }
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: &[CloudEvent]) -> Vec<Result<()>> {
        let versions: Vec<u64> = batch.iter().map(|event| event.id.version.0).collect();
        let outcomes = self.inner.publish(batch).await;
        let mut script = self.script.lock().unwrap();
        let outcomes = versions.iter().zip(outcomes).map(|(version, outcome)| {
            match script.iter().position(|(failing, _)| failing == version) {
                Some(nth) => Err(Error::new(script.remove(nth).1, "injected")),
                None => outcome,
            }
        });
        let outcomes = outcomes.collect();
        self.batches.lock().unwrap().push(versions);
        outcomes
    }
}

async fn commits_of_six_events(world: &World) -> Vec<RecordedCommit> {
    let bank = world.bank();
    bank.accept("1", "a", &note("x", 4)).await;
    bank.accept("1", "b", &note("x", 2)).await;
    world.commits(&account("1")).await
}

async fn what_could_not_be_announced_is_said(world: World) {
    let commits = commits_of_six_events(&world).await;
    let script = [(2, ErrorKind::Unexpected), (5, ErrorKind::Denied)];
    let (bus, ports) = Bus::on(&world.ports, &script);
    let failed = relay(&Bank::new(ports), commits).await;
    let failed: Vec<_> =
        failed.iter().map(|failed| (failed.event.to_string(), failed.error.kind())).collect();
    let expected = [("account-1@2", ErrorKind::Unexpected), ("account-1@5", ErrorKind::Denied)];
    assert_eq!(failed, expected.map(|(id, kind)| (id.to_owned(), kind)));
    assert_eq!(bus.batches(), [[1, 2, 3, 4, 5, 6]], "what does not pass is not tried again");
}

async fn only_what_failed_is_announced_again(world: World) {
    let commits = commits_of_six_events(&world).await;
    let (throttled, unavailable) = (ErrorKind::Throttled, ErrorKind::Unavailable);
    let script = [(2, throttled), (4, unavailable), (4, throttled), (6, ErrorKind::Unexpected)];
    let (bus, ports) = Bus::on(&world.ports, &script);
    let failed = relay(&Bank::new(ports), commits).await;
    assert_eq!(bus.batches(), [vec![1, 2, 3, 4, 5, 6], vec![2, 4], vec![4]]);
    let failed: Vec<_> = failed.iter().map(|failed| failed.event.version.0).collect();
    assert_eq!(failed, [6]);
}

async fn an_announcement_whose_answer_was_lost_is_made_again(world: World) {
    let commits = commits_of_six_events(&world).await;
    let script: Vec<_> = (0..20).map(|_| (3, ErrorKind::Unavailable)).collect();
    let (bus, ports) = Bus::on(&world.ports, &script);
    let failed = relay(&Bank::new(ports), commits).await;
    let batches = bus.batches();
    assert!(batches.len() > 2 && batches.len() < 10, "tried {} times", batches.len());
    assert!(batches[1..].iter().all(|batch| *batch == [3]), "{batches:?}");
    let failed: Vec<_> = failed.iter().map(|failed| failed.event.version.0).collect();
    assert_eq!(failed, [3], "it is said, so that it comes again");
}

async fn what_a_bus_refuses_for_good_is_announced_by_reference(world: World) {
    let commits = commits_of_six_events(&world).await;
    let invalid = [(2, ErrorKind::Invalid), (5, ErrorKind::Oversized), (5, ErrorKind::Invalid)];
    let (bus, ports) = Bus::on(&world.ports, &invalid);
    let failed = relay(&Bank::new(ports), commits).await;
    assert_eq!(bus.batches(), [vec![1, 2, 3, 4, 5, 6], vec![2, 5]]);
    let failed: Vec<_> = failed.iter().map(|failed| failed.event.version.0).collect();
    assert_eq!(failed, [5], "what is refused even so is said");
}

async fn a_commit_that_cannot_be_read_stops_its_stream_alone(world: World) {
    let mailbox = Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    for name in ["0", "1", "2", "3"] {
        bank.accept(name, "a", &open("ada")).await;
        bank.accept(name, "b", &deposit(5)).await;
        bank.accept(name, "c", &deposit(5)).await;
    }
    world.spoil(&account("1"), Version(2)).await;
    let mut tails = Tail::all(&bank.runtime);
    world
        .eventually("every event", async || {
            for tail in &mut tails {
                while tail.pass(&bank.runtime, "relay").await.unwrap() > 0 {}
            }
            (mailbox.events().len() == 12).then_some(())
        })
        .await;
    let (mut letters, mut bare) = (vec![], vec![]);
    // The doorbell before what it may be heard before.
    let mut events = mailbox.events();
    events.sort_by_key(|event| event.data.is_some());
    for event in events {
        bare.extend(event.data.is_none().then(|| event.id.to_string()));
        let failed = bank.deliver("balances", &[event.into_announced().unwrap()]).await;
        letters.extend(failed.into_iter().map(|failed| failed.event.to_string()));
    }
    assert_eq!((bare, letters), (vec!["account-1@2".to_owned()], vec![]));
    let letter = bank.letter("balances", &account("1")).await.unwrap();
    assert_eq!(trouble(&letter), ("account-1@2".into(), "corrupt"));
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1]);
    for name in ["0", "2", "3"] {
        assert_eq!(bank.view::<Balances>(name).await.unwrap().applied, [1, 2, 3], "{name}");
    }
}
