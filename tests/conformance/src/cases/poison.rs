//! What cannot be read or handled stops its stream, and nothing else.

use skyfold::{Announced, App, ErrorKind};

use super::bank::{account, deposit, tag, trouble, withdraw};
use super::world::{event, id, stream};
use super::{Bank, Case, World, cases};
use crate::domain::{
    Account, Balances, Command, Fragile, LaterAccount, LaterFragile, Mended, Tags,
};
use crate::faults::{Counted, tapped};

pub(super) const CASES: &[Case] = cases![
    an_unreadable_event_stops_its_stream_alone,
    an_unreadable_event_is_not_taken_for_another,
    views_show_a_stream_up_to_what_cannot_be_read,
    what_follows_an_unreadable_event_waits,
    what_a_later_release_recorded_comes_again_until_it_is_everywhere,
    what_a_later_release_recorded_is_a_dead_letter_after_the_last_attempt,
    a_later_release_goes_on_where_this_one_stopped,
    a_command_never_writes_on_what_it_cannot_read,
    a_projection_that_panics_stops_the_stream_alone,
    a_projection_that_no_longer_panics_goes_on,
    a_keyed_projection_that_panics_changes_no_view_of_the_event,
    one_of_1000_streams_is_poison_and_999_are_shown,
    a_saga_stops_at_what_cannot_be_read,
];

/// Events that this release cannot read, each for a reason of its own.
const UNREADABLE: [(&str, u32, &str); 8] = [
    ("Frozen", 1, "null"),
    ("Noted", 2, r#"{"pages":1}"#),
    ("Deposited", 3, r#"{"cents":1}"#),
    ("noted", 1, r#"{"text":"x"}"#),
    ("Noted", 0, r#"{"text":"x"}"#),
    ("Deposited", 2, r#"{"cents":"1"}"#),
    ("Deposited", 2, "null"),
    ("Noted", 1, r#"{"title":"x"}"#),
];

/// How many of them a later release may have recorded: their type or schema is not known here.
const LATER: usize = 4;

/// What is wrong with an unreadable event.
fn kind_of(unreadable: (&str, u32, &str)) -> ErrorKind {
    match UNREADABLE[..LATER].contains(&unreadable) {
        true => ErrorKind::Newer,
        false => ErrorKind::Corrupt,
    }
}

/// Puts `deposits` deposits, then an unreadable event, then another deposit into the account
/// `name`, each in a commit of its own.
async fn poisoned(
    world: &World,
    name: &str,
    deposits: usize,
    unreadable: (&str, u32, &str),
) -> Vec<Announced> {
    let (event_type, schema, data) = unreadable;
    let of = |id: usize, event| world.commit_of(&id.to_string(), vec![event]);
    let deposit = || event("Deposited", 2, r#"{"cents":1}"#);
    let mut commits: Vec<_> = (0..deposits).map(|n| of(n, deposit())).collect();
    commits.push(of(deposits, event(event_type, schema, data)));
    commits.push(of(deposits + 1, deposit()));
    world.fill(&account(name), &commits).await;
    world.news(&account(name)).await
}

async fn an_unreadable_event_stops_its_stream_alone(world: World) {
    for unreadable in UNREADABLE {
        let world = world.another().await;
        let bank = world.bank();
        let bad = poisoned(&world, "bad", 2, unreadable).await;
        bank.accept("good", "a", &tag(&["x"])).await;
        let good = world.news(&account("good")).await;
        for consumer in ["balances", "tags"] {
            let batch = [bad.clone(), good.clone()].concat();
            let letters = bank.set_aside(consumer, &batch).await;
            let letters: Vec<_> = letters.iter().map(trouble).collect();
            let expected = ("account-bad@3".into(), kind_of(unreadable).code());
            assert_eq!(letters, [expected], "{unreadable:?}");
        }
        assert_eq!(bank.view::<Balances>("good").await.unwrap().applied, [1]);
        assert_eq!(bank.view::<Tags>("x").await.unwrap().events, ["account-good@1"]);
    }
}

async fn an_unreadable_event_is_not_taken_for_another(world: World) {
    for unreadable in UNREADABLE {
        let world = world.another().await;
        let bank = world.bank();
        let bad = poisoned(&world, "bad", 0, unreadable).await;
        bank.deliver("balances", &bad).await;
        bank.deliver("balances", &bad[1..]).await;
        assert_eq!(bank.view::<Balances>("bad").await, None, "{unreadable:?}");
    }
}

async fn views_show_a_stream_up_to_what_cannot_be_read(world: World) {
    for unreadable in UNREADABLE {
        // One by one, all at once, and read from the store.
        for way in 0..3 {
            let world = world.another().await;
            let bank = world.bank();
            let bad = poisoned(&world, "bad", 2, unreadable).await;
            let batches: Vec<&[Announced]> = match way {
                0 => bad.chunks(1).collect(),
                1 => vec![&bad],
                _ => vec![&bad[3..]],
            };
            for batch in batches {
                bank.deliver("balances", batch).await;
            }
            let view = bank.view::<Balances>("bad").await;
            let applied = view.map(|view| view.applied).unwrap_or_default();
            assert_eq!(applied, [1, 2], "delivered in way {way}: {unreadable:?}");
        }
    }
}

async fn what_follows_an_unreadable_event_waits(world: World) {
    let bank = world.bank();
    let bad = poisoned(&world, "bad", 2, UNREADABLE[LATER]).await;
    bank.handle("balances", &bad[..2]).await;
    for _ in 0..3 {
        let letters = bank.set_aside("balances", &bad[3..]).await;
        assert_eq!(letters.len(), 1, "it is not shown without what came before it");
        assert_eq!(trouble(&letters[0]), ("account-bad@3".into(), "corrupt"));
        assert_eq!(letters[0].attempts, 1, "nobody tries what has to wait");
    }
    bank.handle("balances", &bad[..2]).await;
    assert_eq!(bank.view::<Balances>("bad").await.unwrap().applied, [1, 2]);
}

async fn what_a_later_release_recorded_comes_again_until_it_is_everywhere(world: World) {
    for unreadable in &UNREADABLE[..2] {
        let world = world.another().await;
        let bank = world.bank();
        let bad = poisoned(&world, "bad", 2, *unreadable).await;
        for batch in [&bad[..], &bad[2..], &bad[3..]] {
            let failed = bank.deliver("fragile", batch).await;
            let kinds: Vec<_> = failed.iter().map(|failed| failed.error.kind()).collect();
            assert_eq!(kinds, vec![ErrorKind::Newer; batch.len()], "{unreadable:?}");
            assert_eq!(bank.letter("fragile", &account("bad")).await, None);
            assert_eq!(bank.view::<Fragile>("bad").await.unwrap(), [1, 2], "what it can read");
        }
        let app = App::new("bank").decider::<LaterAccount>().projection::<LaterFragile>();
        let later = Bank::of(app, world.ports.clone());
        later.handle("fragile", &bad[3..]).await;
        assert_eq!(later.view::<LaterFragile>("bad").await.unwrap(), [1, 2, 3, 4]);
        bank.handle("fragile", &bad).await;
    }
}

async fn what_a_later_release_recorded_is_a_dead_letter_after_the_last_attempt(world: World) {
    for unreadable in &UNREADABLE[..LATER] {
        let world = world.another().await;
        let bank = world.bank();
        let bad = poisoned(&world, "bad", 2, *unreadable).await;
        bank.deliver("fragile", &bad).await;
        let letter = bank.set_aside("fragile", &bad).await.remove(0);
        assert_eq!(trouble(&letter), ("account-bad@3".into(), "newer-release"));
        bank.handle("fragile", &bad).await;
        let letter = bank.runtime.dead_letters().retry(&letter.id).await.unwrap();
        assert!(letter.is_waiting() && letter.attempts > 1, "an attempt in vain: {letter:?}");
        assert_eq!(bank.view::<Fragile>("bad").await.unwrap(), [1, 2]);
    }
}

async fn a_later_release_goes_on_where_this_one_stopped(world: World) {
    for (event_type, schema, data) in [UNREADABLE[0], UNREADABLE[1]] {
        let world = world.another().await;
        let bank = world.bank();
        let bad = poisoned(&world, "bad", 2, (event_type, schema, data)).await;
        bank.handle("fragile", &bad[..2]).await;
        let letter = bank.set_aside("fragile", &bad[2..]).await.remove(0);
        let app = App::new("bank").decider::<LaterAccount>().projection::<LaterFragile>();
        let later = Bank::of(app, world.ports.clone());
        later.handle("fragile", &bad).await;
        assert_eq!(later.view::<LaterFragile>("bad").await.unwrap(), [1, 2], "it still waits");
        let letter = later.runtime.dead_letters().retry(&letter.id).await.unwrap();
        assert!(!letter.is_waiting(), "{letter:?}");
        later.handle("fragile", &bad).await;
        assert_eq!(later.view::<LaterFragile>("bad").await.unwrap(), [1, 2, 3, 4]);
    }
}

async fn a_command_never_writes_on_what_it_cannot_read(world: World) {
    for unreadable in UNREADABLE {
        let world = world.another().await;
        // A process that is warm with the state before the unreadable event, and a cold one.
        let counted = Counted::new();
        let warm = Bank::new(tapped(world.ports.clone(), counted.clone()));
        let cold = Bank::new(tapped(world.ports.clone(), counted.clone()));
        warm.accept("1", "a", &deposit(5)).await;
        let (event_type, schema, data) = unreadable;
        let commit = world.commit_of("z", vec![event(event_type, schema, data)]);
        let head = world.head(&account("1")).await;
        world.append(&head, &commit).await.unwrap();
        for (bank, name) in [(&warm, "warm"), (&cold, "cold")] {
            for (n, command) in
                [deposit(1), withdraw(9), Command::TopUp { cents: 1 }].iter().enumerate()
            {
                let error = bank.fail("1", &format!("{name}-{n}"), command).await;
                assert_eq!(error.kind(), kind_of(unreadable), "{name}, {unreadable:?}: {error}");
                assert!(error.to_string().contains("account-1@2"), "{error}");
            }
        }
        assert_eq!(world.events(&account("1")).await.len(), 2, "{unreadable:?}");
        // Not knowing the state, it still knows the id.
        assert!(cold.send("2", "a", &deposit(1)).await.is_ok(), "other streams go on");
    }
}

async fn a_projection_that_panics_stops_the_stream_alone(world: World) {
    let bank = world.bank();
    for (name, command) in [("bad", Command::Jinx), ("good", deposit(1))] {
        bank.accept(name, "a", &deposit(1)).await;
        bank.accept(name, "b", &command).await;
        bank.accept(name, "c", &deposit(1)).await;
    }
    let (bad, good) = (world.news(&account("bad")).await, world.news(&account("good")).await);
    for batch in [bad.clone(), bad[1..].to_vec(), [good.clone(), bad.clone()].concat()] {
        let letters = bank.set_aside("fragile", &batch).await;
        assert_eq!(letters.len(), 1);
        assert_eq!(trouble(&letters[0]), ("account-bad@2".into(), "corrupt"));
        assert!(letters[0].error.contains("a misfortune"), "{letters:?}");
    }
    assert_eq!(bank.view::<Fragile>("good").await.unwrap(), [1, 2, 3]);
    assert_eq!(bank.view::<Fragile>("bad").await, Some(vec![1]), "up to where it panics");
    bank.handle("balances", &bad).await;
    assert_eq!(bank.view::<Balances>("bad").await.unwrap().applied, [1, 2, 3], "others do not");
}

async fn a_projection_that_no_longer_panics_goes_on(world: World) {
    let bank = world.bank();
    for n in 0..3 {
        bank.accept("1", &n.to_string(), &deposit(1)).await;
    }
    bank.accept("1", "jinx", &Command::Jinx).await;
    bank.accept("1", "late", &deposit(1)).await;
    let news = world.news(&account("1")).await;
    bank.handle("fragile", &news[..3]).await;
    for delivery in [&news[3..4], &news[4..], &news[3..]] {
        bank.deliver("fragile", delivery).await;
    }
    assert_eq!(bank.view::<Fragile>("1").await.unwrap(), [1, 2, 3]);
    let app = App::new("bank").decider::<Account>().projection::<Mended>();
    let mended = Bank::of(app, world.ports.clone());
    let letter = mended.letter("fragile", &account("1")).await.unwrap();
    mended.runtime.dead_letters().retry(&letter.id).await.unwrap();
    assert_eq!(mended.view::<Mended>("1").await.unwrap(), [1, 2, 3, 4, 5]);
}

async fn a_keyed_projection_that_panics_changes_no_view_of_the_event(world: World) {
    let bank = world.bank();
    bank.accept("bad", "a", &tag(&["x"])).await;
    bank.accept("bad", "b", &tag(&["jinx", "x"])).await;
    bank.accept("good", "a", &tag(&["x"])).await;
    let bad = world.news(&account("bad")).await;
    bank.handle("tags", &bad[..1]).await;
    let batch = [bad[1..].to_vec(), world.news(&account("good")).await].concat();
    let letters = bank.set_aside("tags", &batch).await;
    let letters: Vec<_> = letters.iter().map(trouble).collect();
    assert_eq!(letters, [("account-bad@2".into(), "corrupt")]);
    let view = bank.view::<Tags>("x").await.unwrap();
    assert_eq!(view.events, ["account-bad@1", "account-good@1"]);
    assert_eq!(bank.view::<Tags>("jinx").await, None);
}

async fn one_of_1000_streams_is_poison_and_999_are_shown(world: World) {
    let bank = world.bank();
    let mut news = poisoned(&world, "bad", 0, UNREADABLE[0]).await;
    for n in 0..999 {
        let name = n.to_string();
        world.fill(&account(&name), &[world.commit("a", &["x"])]).await;
        news.extend(world.news(&account(&name)).await);
    }
    fastrand::Rng::with_seed(1).shuffle(&mut news);
    for batch in news.chunks(100) {
        bank.set_aside("balances", batch).await;
    }
    let letter = bank.letter("balances", &account("bad")).await.unwrap();
    assert_eq!(trouble(&letter), ("account-bad@1".into(), "newer-release"));
    for n in 0..999 {
        assert!(bank.view::<Balances>(&n.to_string()).await.is_some(), "account {n}");
    }
    assert_eq!(bank.view::<Balances>("bad").await, None);
}

async fn a_saga_stops_at_what_cannot_be_read(world: World) {
    for unreadable in UNREADABLE {
        let world = world.another().await;
        let bank = world.bank();
        let send = |transfer: &str| Command::Send { transfer: id(transfer), to: id("2"), cents: 1 };
        bank.accept("bad", "a", &deposit(5)).await;
        bank.accept("bad", "b", &send("before")).await;
        let (event_type, schema, data) = unreadable;
        let commit = world.commit_of("c", vec![event(event_type, schema, data)]);
        let head = world.head(&account("bad")).await;
        world.append(&head, &commit).await.unwrap();
        let sent = r#"{"transfer":"later","to":"2","cents":1}"#;
        let commit = world.commit_of("d", vec![event("Sent", 1, sent)]);
        let head = world.head(&account("bad")).await;
        world.append(&head, &commit).await.unwrap();
        bank.accept("good", "a", &deposit(5)).await;
        bank.accept("good", "b", &send("good")).await;
        let mut news = world.news(&account("bad")).await;
        news.extend(world.news(&account("good")).await);
        let letters = bank.set_aside("transfer", &news).await;
        let letters: Vec<_> = letters.iter().map(trouble).collect();
        let expected = ("account-bad@3".into(), kind_of(unreadable).code());
        assert_eq!(letters, [expected], "{unreadable:?}");
        for (transfer, count) in [("before", 1), ("later", 0), ("good", 1)] {
            let saga = stream(&format!("saga.transfer-{transfer}"));
            assert_eq!(world.events(&saga).await.len(), count, "{transfer}: {unreadable:?}");
        }
    }
}
