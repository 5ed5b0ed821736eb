//! What every bus and queue promises, as seen by what they deliver to.

use std::time::Duration;

use skyfold::limits::{BATCH_COMMANDS_MAX, COMMIT_EVENTS_MAX, EVENT_BYTES_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::QueuedCommand;
use skyfold::{Announced, CloudEvent, Decider, RecordedEvent, Reply, Trigger};

use super::bank::{account, deposit, note, open, request, tag};
use super::world::event;
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Balances, Command, Fragile, TaggedBy, Tags};

pub(super) const CASES: &[Case] = cases![
    #[needs(Bus)]
    an_announcement_reaches_every_subscriber,
    #[needs(Bus)]
    a_full_batch_of_announcements_reaches_its_subscriber,
    #[needs(Bus)]
    an_announcement_made_again_changes_nothing,
    #[needs(Bus)]
    an_event_that_the_bus_cannot_carry_reaches_its_subscriber,
    #[needs(Bus)]
    events_that_nobody_announced_yet_are_relayed,
    #[needs(Queue)]
    a_full_batch_of_commands_is_delivered,
    #[needs(Queue)]
    a_command_sent_again_takes_effect_once,
    #[needs(Delays)]
    a_command_is_not_delivered_before_it_is_due,
    #[needs(Delays)]
    a_command_delivered_early_waits_once_more,
    a_command_that_is_not_due_is_sent_on_as_it_is,
    a_command_that_is_due_runs,
];

/// Events that exist on the bus alone, so that nobody but it can deliver them.
fn announced_only(account_id: &str, count: u64) -> Vec<CloudEvent> {
    let stream = account(account_id);
    let event = |version| RecordedEvent {
        stream: stream.clone(),
        version: skyfold::Version(version),
        event_type: "Tagged".into(),
        schema: 1,
        time: time::OffsetDateTime::UNIX_EPOCH,
        command: skyfold::CommandId::new("c").unwrap(),
        metadata: skyfold::Metadata::default(),
        data: event("Tagged", 1, r#"{"tags":["a","b"]}"#).data,
    };
    (1..=count).map(|version| CloudEvent::new("bank", &event(version))).collect()
}

async fn publish(world: &World, batch: &[CloudEvent]) {
    let outcomes = world.ports.publisher.publish(batch).await;
    assert_eq!(outcomes.len(), batch.len(), "one outcome for each announcement");
    for outcome in outcomes {
        outcome.unwrap();
    }
}

async fn an_announcement_reaches_every_subscriber(world: World) {
    let bank = world.bank();
    publish(&world, &[]).await;
    publish(&world, &announced_only("1", 1)).await;
    world.settle(&bank.runtime).await;
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1]);
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), [1]);
    for tag in ["a", "b"] {
        let events = vec!["account-1@1".into()];
        assert_eq!(bank.view::<Tags>(tag).await, Some(TaggedBy { events }));
    }
}

async fn a_full_batch_of_announcements_reaches_its_subscriber(world: World) {
    let bank = Bank::of(
        skyfold::App::new("bank").decider::<Account>().projection::<Fragile>(),
        world.ports.clone(),
    );
    // As many as one page of the feed may hold, of one stream each.
    let batch: Vec<_> = (0..PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX)
        .map(|n| announced_only(&n.to_string(), 1).remove(0))
        .collect();
    publish(&world, &batch).await;
    world.settle(&bank.runtime).await;
    for n in 0..batch.len() {
        assert_eq!(bank.view::<Fragile>(&n.to_string()).await, Some(vec![1]), "number {n}");
    }
}

async fn an_announcement_made_again_changes_nothing(world: World) {
    let (bank, batch) = (world.bank(), announced_only("1", 3));
    for _ in 0..3 {
        publish(&world, &batch).await;
        world.settle(&bank.runtime).await;
    }
    publish(&world, &[batch.clone(), batch].concat()).await;
    world.settle(&bank.runtime).await;
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1, 2, 3]);
    assert_eq!(bank.view::<Tags>("a").await.unwrap().events.len(), 3);
}

async fn an_event_that_the_bus_cannot_carry_reaches_its_subscriber(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &open("ada")).await;
    let text = "x".repeat(EVENT_BYTES_MAX - r#"{"text":""}"#.len());
    bank.accept("1", "b", &note(&text, 2)).await;
    world.settle(&bank.runtime).await;
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1, 2, 3]);
}

async fn events_that_nobody_announced_yet_are_relayed(world: World) {
    // The process that recorded them is gone; another one settles.
    {
        let bank = world.bank();
        bank.accept("1", "a", &open("ada")).await;
        bank.accept("1", "b", &tag(&["x"])).await;
        bank.accept("2", "a", &note("x", 5)).await;
    }
    let bank = world.bank();
    world.settle(&bank.runtime).await;
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1, 2]);
    assert_eq!(bank.view::<Balances>("2").await.unwrap().applied, [1, 2, 3, 4, 5]);
    assert_eq!(bank.view::<Tags>("x").await.unwrap().events, ["account-1@2"]);
}

fn queued(account_id: &str, command_id: &str, command: &Command) -> QueuedCommand {
    let request = request::<Account>(account_id, command_id, command);
    QueuedCommand { category: Account::CATEGORY.into(), request, due: None, timer: None }
}

async fn send(world: &World, batch: &[QueuedCommand]) {
    let outcomes = world.ports.queue.send(batch).await;
    assert_eq!(outcomes.len(), batch.len(), "one outcome for each command");
    for outcome in outcomes {
        outcome.unwrap();
    }
}

async fn a_full_batch_of_commands_is_delivered(world: World) {
    let bank = world.bank();
    send(&world, &[]).await;
    let batch: Vec<_> = (0..BATCH_COMMANDS_MAX)
        .map(|n| queued(&(n % 7).to_string(), &n.to_string(), &deposit(1)))
        .collect();
    send(&world, &batch).await;
    world.settle(&bank.runtime).await;
    let mut recorded: Vec<usize> = vec![];
    for n in 0..7 {
        let events = world.events(&account(&n.to_string())).await;
        let ids = events.into_iter().map(|event| event.command.as_str().parse::<usize>().unwrap());
        recorded.extend(ids);
    }
    recorded.sort_unstable();
    assert_eq!(recorded, (0..BATCH_COMMANDS_MAX).collect::<Vec<_>>());
}

async fn a_command_sent_again_takes_effect_once(world: World) {
    let (bank, command) = (world.bank(), queued("1", "a", &deposit(1)));
    send(&world, &[command.clone(), command.clone()]).await;
    world.settle(&bank.runtime).await;
    send(&world, &[command]).await;
    world.settle(&bank.runtime).await;
    assert_eq!(world.events(&account("1")).await.len(), 1);
}

/// How long commands are delayed here.
const DELAY: Duration = Duration::from_secs(3);

async fn a_command_is_not_delivered_before_it_is_due(world: World) {
    let bank = world.bank();
    let due = Some(world.now() + DELAY);
    let late = QueuedCommand { due, ..queued("1", "late", &deposit(1)) };
    send(&world, &[late, queued("1", "now", &deposit(1))]).await;
    let recorded = async || {
        let events = world.events(&account("1")).await;
        events.iter().map(|event| event.command.to_string()).collect::<Vec<_>>()
    };
    world.settle(&bank.runtime).await;
    assert_eq!(recorded().await, ["now"]);
    world.pass(DELAY).await;
    world.settle(&bank.runtime).await;
    assert_eq!(recorded().await, ["now", "late"]);
    let late = world.events(&account("1")).await.remove(1);
    assert!(Some(late.time) >= due, "it ran at {}", late.time);
}

async fn a_command_delivered_early_waits_once_more(world: World) {
    let bank = world.bank();
    let due = Some(world.now() + DELAY);
    let early = QueuedCommand { due, ..queued("1", "early", &deposit(1)) };
    // As by a queue that cannot hold it as long as that.
    let reply = bank.runtime.invoke("account", Trigger::Queued(early)).await.unwrap();
    assert!(matches!(reply, Reply::Deferred), "{reply:?}");
    world.settle(&bank.runtime).await;
    assert!(world.events(&account("1")).await.is_empty());
    world.pass(DELAY).await;
    world.settle(&bank.runtime).await;
    assert_eq!(world.events(&account("1")).await.len(), 1);
}

async fn a_command_that_is_not_due_is_sent_on_as_it_is(world: World) {
    let mailbox = super::Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    let due = Some(world.now() + DELAY);
    let early = QueuedCommand { due, ..queued("1", "early", &deposit(1)) };
    for _ in 0..2 {
        let trigger = Trigger::Queued(early.clone());
        let reply = bank.runtime.invoke("account", trigger).await.unwrap();
        assert!(matches!(reply, Reply::Deferred), "{reply:?}");
    }
    assert_eq!(mailbox.commands(), [early.clone(), early]);
    assert!(world.events(&account("1")).await.is_empty());
}

async fn a_command_that_is_due_runs(world: World) {
    let mailbox = super::Mailbox::default();
    let bank = Bank::new(mailbox.on(&world.ports));
    for (n, due) in [None, Some(world.now()), Some(world.now() - DELAY)].into_iter().enumerate() {
        let command = QueuedCommand { due, ..queued("1", &n.to_string(), &deposit(1)) };
        let reply = bank.runtime.invoke("account", Trigger::Queued(command)).await.unwrap();
        assert!(matches!(reply, Reply::Accepted(_)), "{reply:?}");
    }
    assert_eq!(mailbox.commands(), []);
    assert_eq!(world.news(&account("1")).await.iter().map(Announced::version).count(), 3);
}
