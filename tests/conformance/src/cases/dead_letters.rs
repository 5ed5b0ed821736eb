//! What cannot be done waits for an operator, who is told all about it.

use std::collections::BTreeSet;

use skyfold::ports::{Order, QueuedCommand};
use skyfold::{
    Announced, App, DeadLetter, Discard, Error, ErrorKind, LetterQuery, LetterStatus, Reply,
    Trigger, Undone,
};

use super::bank::{account, deposit, request, tag, trouble};
use super::world::{by_reference, event};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Balances, Command, LaterAccount, Mended, Tags};
use crate::faults::{Counted, tapped};

pub(super) const CASES: &[Case] = cases![
    a_letter_tells_what_failed_where_and_when,
    a_delivery_that_waits_costs_one_read,
    letters_are_listed_by_function_and_by_age,
    letters_of_one_stream_are_listed_and_tried_again_together,
    a_queued_command_that_cannot_be_run_becomes_a_letter,
    a_queued_command_is_run_again_under_its_own_id,
    a_queued_command_that_is_refused_is_no_letter,
    a_queued_command_for_what_a_later_release_recorded_comes_again,
    a_delivery_that_failed_too_often_is_set_aside,
    health_counts_letters_and_does_not_wait_for_them,
    what_makes_no_sense_is_refused,
];

/// Puts `1, jinx, 3` into the account `name`.
async fn jinxed(bank: &Bank, world: &World, name: &str) -> Vec<Announced> {
    bank.accept(name, "a", &deposit(1)).await;
    bank.accept(name, "b", &Command::Jinx).await;
    bank.accept(name, "c", &deposit(1)).await;
    world.news(&account(name)).await
}

async fn a_letter_tells_what_failed_where_and_when(world: World) {
    let bank = world.bank();
    let news = jinxed(&bank, &world, "1").await;
    let letter = bank.set_aside("fragile", &news).await.remove(0);
    assert_eq!(trouble(&letter), ("account-1@2".into(), "corrupt"));
    assert_eq!((letter.function.as_str(), letter.consumer.as_str()), ("fragile", "fragile.1"));
    assert_eq!((letter.attempts, letter.history.len()), (1, 1));
    assert!(letter.error.contains("a misfortune") && letter.first == letter.last);
    bank.clock.shift(time::Duration::HOUR);
    let again = bank.runtime.dead_letters().retry(&letter.id).await.unwrap();
    assert_eq!((again.attempts, again.history.len(), &again.id), (2, 2, &letter.id));
    assert!(again.first == letter.first && again.last > letter.last);
}

async fn a_delivery_that_waits_costs_one_read(world: World) {
    let bank = world.bank();
    let news = jinxed(&bank, &world, "1").await;
    bank.accept("2", "a", &tag(&["jinx"])).await;
    let of_tags = world.news(&account("2")).await;
    bank.handle("fragile", &news).await;
    bank.handle("tags", &of_tags).await;
    let counted = Counted::new();
    let bank = Bank::new(tapped(world.ports.clone(), counted.clone()));
    for (function, news) in
        [("fragile", &news[2..]), ("fragile", &news[..]), ("tags", &of_tags[..])]
    {
        let reference: Vec<_> = news.iter().map(by_reference).collect();
        bank.handle(function, news).await;
        assert_eq!(counted.requests(), [("get", 1)], "{function}");
        bank.handle(function, &reference).await;
        assert_eq!(counted.requests(), [("get", 1)], "{function}");
    }
}

async fn letters_are_listed_by_function_and_by_age(world: World) {
    let bank = world.bank();
    for n in 0..7 {
        let name = n.to_string();
        let news = jinxed(&bank, &world, &name).await;
        bank.clock.shift(time::Duration::SECOND);
        bank.handle("fragile", &news).await;
    }
    bank.accept("tag", "a", &tag(&["jinx"])).await;
    bank.handle("tags", &world.news(&account("tag")).await).await;
    let letters = bank.runtime.dead_letters();
    world
        .eventually("all letters", async || {
            let all = letters.list(&LetterQuery::default()).await.unwrap();
            (all.items.len() == 8 && all.next.is_none()).then_some(())
        })
        .await;
    for order in [Order::Ascending, Order::Descending] {
        let function = Some("fragile".to_owned());
        let mut query = LetterQuery { function, order, limit: 3, ..LetterQuery::default() };
        let mut found: Vec<String> = vec![];
        loop {
            let page = letters.list(&query).await.unwrap();
            found.extend(page.items.iter().map(|letter| letter.stream.to_string()));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = (0..7).map(|n| format!("account-{n}")).collect();
        if order == Order::Descending {
            expected.reverse();
        }
        assert_eq!(found, expected);
    }
}

async fn letters_of_one_stream_are_listed_and_tried_again_together(world: World) {
    let bank = world.bank();
    // A name as long as one may be.
    let long = "x".repeat(skyfold::limits::ID_CHARS_MAX);
    for name in [long.as_str(), "2"] {
        bank.accept(name, "tagged", &tag(&["jinx"])).await;
        let news = jinxed(&bank, &world, name).await;
        for function in ["fragile", "tags"] {
            bank.handle(function, &news).await;
        }
    }
    let letters = bank.runtime.dead_letters();
    let query = LetterQuery { stream: Some(account(&long)), ..LetterQuery::default() };
    let of_stream = world
        .eventually("both letters", async || {
            let page = letters.list(&query).await.unwrap();
            (page.items.len() == 2).then_some(page.items)
        })
        .await;
    let functions: BTreeSet<_> = of_stream.iter().map(|l| l.function.as_str()).collect();
    assert_eq!(functions, BTreeSet::from(["fragile", "tags"]));
    let mended = App::new("bank").decider::<Account>().projection::<Mended>();
    let mended = Bank::of(mended, world.ports.clone());
    let retried = mended.runtime.dead_letters().retry_page(&query).await.unwrap();
    assert_eq!((retried.resolved, retried.waiting.len()), (1, 1), "{retried:?}");
    assert_eq!(retried.waiting[0].function, "tags", "which this release does not have");
    assert!(bank.letter("fragile", &account("2")).await.is_some(), "another stream waits on");
    let nobody = LetterQuery { function: Some("nobody".into()), ..LetterQuery::default() };
    let error = letters.retry_page(&nobody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// A command that waits in the queue.
fn queued(account: &str, id: &str, command: &Command) -> QueuedCommand {
    let request = request::<Account>(account, id, command);
    QueuedCommand { category: "account".into(), request, due: None, timer: None }
}

/// The letter that the command has become.
async fn refused_for_good(bank: &Bank, queued: &QueuedCommand) -> DeadLetter {
    let trigger = Trigger::Queued(queued.clone());
    match bank.runtime.invoke(&queued.category, trigger).await.unwrap() {
        Reply::DeadLetter(id) => bank.runtime.dead_letters().show(&id).await.unwrap(),
        reply => panic!("it cannot be run, and not {reply:?}"),
    }
}

async fn a_queued_command_that_cannot_be_run_becomes_a_letter(world: World) {
    let bank = world.bank();
    let mut unreadable = queued("1", "a", &deposit(1));
    unreadable.request.command = skyfold::Payload::parse(r#"{"Steal":{}}"#).unwrap();
    let unknown = QueuedCommand { category: "nobody".into(), ..queued("1", "b", &deposit(1)) };
    for (command, kind) in [(unreadable, "invalid"), (unknown, "not-found")] {
        let letter = refused_for_good(&bank, &command).await;
        assert_eq!((letter.kind.as_str(), &letter.function), (kind, &command.category));
        assert_eq!(letter.undone, Undone::Command(Box::new(command.clone())));
        let again = refused_for_good(&bank, &command).await;
        assert_eq!((&again.id, again.attempts), (&letter.id, 2), "one letter for one command");
        let discard = Discard { reason: "no use".into(), by: Some("ada".into()), event: None };
        let letters = bank.runtime.dead_letters();
        let closed = letters.discard(&letter.id, &discard).await.unwrap();
        assert_eq!(closed.status, LetterStatus::Discarded);
        assert_eq!(letters.retry(&letter.id).await.unwrap(), closed, "it is not run any more");
    }
    assert_eq!(world.events(&account("1")).await.len(), 0);
}

async fn a_queued_command_is_run_again_under_its_own_id(world: World) {
    let bank = world.bank();
    let command = queued("1", "a", &deposit(1));
    // An app that does not know accounts yet.
    let empty = Bank::of(App::new("bank"), world.ports.clone());
    let letter = refused_for_good(&empty, &command).await;
    let retried = bank.runtime.dead_letters().retry(&letter.id).await.unwrap();
    assert_eq!(retried.status, LetterStatus::Resolved, "{retried:?}");
    let reply = bank.send("1", "a", &deposit(1)).await.unwrap();
    assert!(matches!(reply, Reply::Accepted(receipt) if receipt.replayed));
    assert_eq!(world.events(&account("1")).await.len(), 1);
}

async fn a_queued_command_that_is_refused_is_no_letter(world: World) {
    let bank = world.bank();
    let command = queued("1", "a", &Command::Close);
    let trigger = || Trigger::Queued(command.clone());
    let reply = bank.runtime.invoke("account", trigger()).await.unwrap();
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    // That the letter's command is refused at last is an outcome like another.
    let error = Error::new(ErrorKind::Unexpected, "too often");
    let letters = bank.runtime.dead_letters();
    let id = letters.give_up_command(&command, &error).await.unwrap();
    let letter = letters.retry(&id).await.unwrap();
    assert_eq!(letter.status, LetterStatus::Resolved, "{letter:?}");
}

async fn a_queued_command_for_what_a_later_release_recorded_comes_again(world: World) {
    let (bank, command) = (world.bank(), queued("1", "a", &deposit(1)));
    world.fill(&account("1"), &[world.commit_of("z", vec![event("Frozen", 1, "null")])]).await;
    let trigger = Trigger::Queued(command.clone());
    let error = bank.runtime.invoke("account", trigger).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Newer, "{error}");
    let letters = bank.runtime.dead_letters();
    let id = letters.give_up_command(&command, &error).await.unwrap();
    let letter = letters.retry(&id).await.unwrap();
    assert!(letter.is_waiting() && letter.attempts > 1, "an attempt in vain: {letter:?}");
    let later = App::new("bank").decider::<LaterAccount>();
    let later = Bank::of(later, world.ports.clone());
    let letter = later.runtime.dead_letters().retry(&id).await.unwrap();
    assert_eq!(letter.status, LetterStatus::Resolved, "{letter:?}");
}

async fn a_delivery_that_failed_too_often_is_set_aside(world: World) {
    let bank = world.bank();
    for n in 0..3 {
        bank.accept("1", &n.to_string(), &tag(&["x"])).await;
    }
    let news = world.news(&account("1")).await;
    let letters = bank.runtime.dead_letters();
    let error = Error::new(ErrorKind::Unexpected, "whatever it was");
    for function in ["balances", "tags", "transfer"] {
        bank.handle(function, &news[..1]).await;
        // Given up with the last one, it stops at the first that was not handled.
        letters.give_up(function, &news[2].id(), &error).await.unwrap();
        let letter = bank.letter(function, &account("1")).await.unwrap();
        assert_eq!(trouble(&letter), ("account-1@2".into(), "unexpected"), "{function}");
        bank.handle(function, &news).await;
        letters.give_up(function, &news[0].id(), &error).await.unwrap();
        let retried = letters.retry(&letter.id).await.unwrap();
        assert_eq!(retried.status, LetterStatus::Resolved, "{function}: {retried:?}");
        letters.give_up(function, &news[2].id(), &error).await.unwrap();
        assert_eq!(bank.letter(function, &account("1")).await, None, "it was handled");
    }
    assert_eq!(bank.view::<Balances>("1").await.unwrap().applied, [1, 2, 3]);
    assert_eq!(bank.view::<Tags>("x").await.unwrap().events.len(), 3);
}

async fn health_counts_letters_and_does_not_wait_for_them(world: World) {
    let bank = world.bank();
    let news = jinxed(&bank, &world, "1").await;
    for function in ["balances", "fragile", "tags", "transfer"] {
        bank.handle(function, &news).await;
    }
    let health = world
        .eventually("the letter", async || {
            let health = bank.runtime.health().await.unwrap();
            (health.commits == 3 && health.dead_letters.total == 1).then_some(health)
        })
        .await;
    assert_eq!(health.dead_letters.functions.get("fragile"), Some(&1));
    let so_far = health.dead_letters.oldest_seconds;
    assert!(health.consumers.iter().all(|lag| lag.behind == 0), "{health:?}");
    bank.clock.shift(time::Duration::HOUR);
    let late = bank.runtime.health().await.unwrap();
    assert!(late.healthy, "a stream that waits for a person is no reason to restart: {late:?}");
    let waited = late.dead_letters.oldest_seconds - so_far;
    assert!((3600..3700).contains(&waited), "{waited}");
}

async fn what_makes_no_sense_is_refused(world: World) {
    let bank = world.bank();
    let letters = bank.runtime.dead_letters();
    let kind = |outcome: skyfold::Result<DeadLetter>| outcome.unwrap_err().kind();
    let discard = |reason: &str| Discard { reason: reason.into(), by: None, event: None };
    assert_eq!(kind(letters.show("x").await), ErrorKind::NotFound);
    assert_eq!(kind(letters.retry("x").await), ErrorKind::NotFound);
    assert_eq!(kind(letters.discard("x", &discard("y")).await), ErrorKind::NotFound);
    let news = jinxed(&bank, &world, "1").await;
    let letter = bank.set_aside("fragile", &news).await.remove(0);
    assert_eq!(kind(letters.discard(&letter.id, &discard(" ")).await), ErrorKind::Invalid);
    let other = Discard { event: Some("account-1@3".parse().unwrap()), ..discard("y") };
    assert_eq!(kind(letters.discard(&letter.id, &other).await), ErrorKind::Conflict);
    for query in [
        LetterQuery { limit: 0, ..LetterQuery::default() },
        LetterQuery { cursor: Some("stale".into()), ..LetterQuery::default() },
        LetterQuery { function: Some("fragile".into()), closed: true, ..LetterQuery::default() },
        LetterQuery { stream: Some(account("1")), closed: true, ..LetterQuery::default() },
    ] {
        assert_eq!(letters.list(&query).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(letters.show(&letter.id).await.unwrap(), letter, "nothing has changed");
}
