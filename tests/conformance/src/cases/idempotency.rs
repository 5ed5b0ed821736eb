//! The same command id is answered with the first outcome, however late it comes again.

use skyfold::{CommandId, CommandRequest, Error, ErrorKind, Payload, Receipt, Trigger};
use time::{Duration, OffsetDateTime};

use super::bank::{account, deposit, receipt, request, withdraw};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Command};
use crate::faults::{Counted, Crash, Fault, Faulty, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_repeated_command_is_answered_with_the_first_receipt,
    a_repeated_command_that_would_now_be_refused_is_answered,
    a_repeated_command_that_would_now_do_nothing_is_answered,
    a_repeated_command_is_answered_after_500_others,
    a_command_issued_long_ago_and_never_seen_takes_effect_once,
    a_reused_id_is_a_duplicate_however_late,
    the_order_of_fields_does_not_make_another_command,
    one_id_on_two_streams_is_two_commands,
    an_id_from_the_far_future_is_refused,
    an_append_whose_answer_was_lost_takes_effect_once,
    an_append_that_never_arrived_is_made_again,
    a_crash_around_the_append_leaves_it_done_once,
    an_error_around_the_append_leaves_it_done_once_in_the_same_process,
    a_command_in_two_processes_at_once_takes_effect_once,
    another_writer_between_an_append_and_its_repetition_changes_nothing,
];

/// The same command a second time, in the same process and in another.
async fn again(world: &World, bank: &Bank, first: &Receipt, id: &str, command: &Command) {
    for bank in [bank.clone(), world.bank()] {
        let again = bank.accept("1", id, command).await;
        assert_eq!(again, Receipt { replayed: true, ..first.clone() }, "{command:?}");
    }
}

async fn a_repeated_command_is_answered_with_the_first_receipt(world: World) {
    let bank = world.bank();
    let several = Command::Note { text: "x".into(), times: 3 };
    let first = bank.accept("1", "a", &several).await;
    again(&world, &bank, &first, "a", &several).await;
    let second = bank.accept("1", "b", &deposit(1)).await;
    again(&world, &bank, &first, "a", &several).await;
    again(&world, &bank, &second, "b", &deposit(1)).await;
    assert_eq!(world.events(&account("1")).await.len(), 4);
}

async fn a_repeated_command_that_would_now_be_refused_is_answered(world: World) {
    let bank = world.bank();
    bank.accept("1", "a", &deposit(5)).await;
    let first = bank.accept("1", "b", &withdraw(4)).await;
    bank.refuse("1", "c", &withdraw(4)).await;
    again(&world, &bank, &first, "b", &withdraw(4)).await;
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

async fn a_repeated_command_that_would_now_do_nothing_is_answered(world: World) {
    let (bank, top_up) = (world.bank(), Command::TopUp { cents: 5 });
    let first = bank.accept("1", "a", &top_up).await;
    assert!(bank.accept("1", "b", &top_up).await.events.is_empty());
    again(&world, &bank, &first, "a", &top_up).await;
    // Or something else than the first time.
    bank.accept("1", "c", &withdraw(3)).await;
    again(&world, &bank, &first, "a", &top_up).await;
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

/// Ids of both kinds: the first says when it was issued, the second says nothing.
fn ids(start: OffsetDateTime, nth: u32) -> [String; 2] {
    let time = start + Duration::MILLISECOND * nth;
    [CommandId::derived(time, &[&nth.to_string()]).to_string(), format!("key-{nth}")]
}

async fn a_repeated_command_is_answered_after_500_others(world: World) {
    let (bank, start) = (world.bank(), world.now());
    let mut firsts = vec![];
    for id in ids(start, 0) {
        firsts.push((bank.accept("1", &id, &deposit(5)).await, id));
    }
    for n in 1..=500 {
        let [timed, untimed] = ids(start, n);
        bank.accept("1", if n % 50 == 0 { &untimed } else { &timed }, &deposit(1)).await;
        if [1, 30, 40, 500].contains(&n) {
            for (first, id) in &firsts {
                again(&world, &bank, first, id, &deposit(5)).await;
            }
        }
    }
    assert_eq!(world.events(&account("1")).await.len(), 502);
}

async fn a_command_issued_long_ago_and_never_seen_takes_effect_once(world: World) {
    let (bank, start) = (world.bank(), world.now());
    let old = [
        CommandId::derived(start - 90 * Duration::DAY, &["old"]).to_string(),
        CommandId::derived(start + 20 * Duration::MILLISECOND, &["late"]).to_string(),
        "key-old".to_owned(),
    ];
    for n in 0..100 {
        let [timed, untimed] = ids(start, n);
        bank.accept("1", if n % 2 == 0 { &untimed } else { &timed }, &deposit(1)).await;
    }
    for (nth, id) in old.iter().enumerate() {
        let first = world.bank().accept("1", id, &deposit(5)).await;
        assert_eq!((first.replayed, first.version.0), (false, 101 + nth as u64));
        again(&world, &bank, &first, id, &deposit(5)).await;
    }
    assert_eq!(world.events(&account("1")).await.len(), 103);
}

async fn a_reused_id_is_a_duplicate_however_late(world: World) {
    let (bank, start) = (world.bank(), world.now());
    for id in ids(start, 0) {
        bank.accept("1", &id, &deposit(5)).await;
    }
    let others = [deposit(6), withdraw(5), Command::Jinx, withdraw(1_000_000)];
    for n in 1..=45 {
        if [1, 2, 45].contains(&n) {
            for (id, other) in
                ids(start, 0).iter().flat_map(|id| others.iter().map(move |o| (id, o)))
            {
                for bank in [bank.clone(), world.bank()] {
                    let error: Error = bank.fail("1", id, other).await;
                    assert_eq!(error.kind(), ErrorKind::Duplicate, "{other:?}: {error}");
                }
            }
        }
        for id in ids(start, n) {
            bank.accept("1", &id, &deposit(1)).await;
        }
    }
    assert_eq!(world.events(&account("1")).await.len(), 92);
}

async fn the_order_of_fields_does_not_make_another_command(world: World) {
    let bank = world.bank();
    let give = async |command: &str| {
        let command = Payload::parse(command).unwrap();
        let request = CommandRequest { command, ..request::<Account>("1", "a", &deposit(1)) };
        receipt(bank.runtime.invoke("account", Trigger::Command(request)).await.unwrap())
    };
    give(r#"{"Note":{"text":"größe","times":2}}"#).await;
    let again = give(r#" { "Note" : { "times" : 2, "text" : "gr\u00f6\u00dfe" } } "#).await;
    assert!(again.replayed);
}

async fn one_id_on_two_streams_is_two_commands(world: World) {
    let bank = world.bank();
    for name in ["1", "2"] {
        let receipt = bank.accept(name, "a", &deposit(1)).await;
        assert_eq!((receipt.stream, receipt.replayed), (account(name), false));
    }
}

async fn an_id_from_the_far_future_is_refused(world: World) {
    let bank = world.bank();
    let id = |ahead: Duration| CommandId::derived(world.now() + ahead, &["a"]).to_string();
    let error = bank.fail("1", &id(25 * Duration::HOUR), &deposit(1)).await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(world.events(&account("1")).await.is_empty());
    let ahead = id(23 * Duration::HOUR);
    let first = bank.accept("1", &ahead, &deposit(1)).await;
    // It leaves the window last, and is found nevertheless once it has.
    for n in 0..100 {
        let later = CommandId::derived(
            world.now() + 23 * Duration::HOUR + Duration::SECOND * n,
            &[&n.to_string()],
        );
        bank.accept("1", later.as_str(), &deposit(1)).await;
    }
    again(&world, &bank, &first, &ahead, &deposit(1)).await;
}

fn is_append(request: &Request<'_>) -> bool {
    matches!(request, Request::Append(..))
}

async fn an_append_whose_answer_was_lost_takes_effect_once(world: World) {
    for lost in [1, 2, 4] {
        let world = world.another().await;
        for n in 0..3 {
            let script = vec![Some(Fault::After(ErrorKind::Unavailable)); lost];
            let faulty = Faulty::new(is_append, script);
            let bank = Bank::new(tapped(world.ports.clone(), faulty.clone()));
            let receipt = bank.accept("1", &n.to_string(), &deposit(1)).await;
            assert_eq!((receipt.version.0, receipt.events.len()), (n + 1, 1));
            assert!(faulty.left() < lost, "an answer was lost");
        }
        assert_eq!(world.events(&account("1")).await.len(), 3, "{lost} answers lost");
    }
}

async fn an_append_that_never_arrived_is_made_again(world: World) {
    let faulty = Faulty::new(is_append, vec![Some(Fault::Before(ErrorKind::Unavailable)); 3]);
    let bank = Bank::new(tapped(world.ports.clone(), faulty.clone()));
    let receipt = bank.accept("1", "a", &deposit(1)).await;
    assert_eq!((receipt.version.0, receipt.replayed), (1, false));
    // But not for ever: then the caller is told that it is not known what came of it.
    faulty.extend(vec![Some(Fault::Before(ErrorKind::Unavailable)); 100]);
    let error = bank.fail("1", "b", &deposit(1)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(faulty.left() > 80, "it was tried {} times", 100 - faulty.left());
    assert_eq!(world.events(&account("1")).await.len(), 1);
}

async fn a_crash_around_the_append_leaves_it_done_once(world: World) {
    for (crash, is_replayed) in Crash::around(0).into_iter().zip([false, true]) {
        let world = world.another().await;
        world.bank().accept("1", "first", &deposit(1)).await;
        let bank = Bank::new(tapped(world.ports.clone(), crash.clone()));
        bank.fail("1", "a", &withdraw(1)).await;
        assert!(crash.has_happened());
        let receipt = world.bank().accept("1", "a", &withdraw(1)).await;
        assert_eq!((receipt.replayed, receipt.version.0), (is_replayed, 2));
        assert_eq!(world.events(&account("1")).await.len(), 2);
    }
}

async fn an_error_around_the_append_leaves_it_done_once_in_the_same_process(world: World) {
    let unexpected = ErrorKind::Unexpected;
    for (fault, is_replayed) in
        [(Fault::Before(unexpected), false), (Fault::After(unexpected), true)]
    {
        let world = world.another().await;
        let faulty = Faulty::new(is_append, [None, Some(fault)]);
        let bank = Bank::new(tapped(world.ports.clone(), faulty));
        bank.accept("1", "first", &deposit(1)).await;
        let error = bank.fail("1", "a", &withdraw(1)).await;
        assert_eq!(error.kind(), unexpected);
        let receipt = bank.accept("1", "a", &withdraw(1)).await;
        assert_eq!((receipt.replayed, receipt.version.0), (is_replayed, 2));
        bank.refuse("1", "b", &withdraw(1)).await;
        assert_eq!(world.events(&account("1")).await.len(), 2);
    }
}

async fn a_command_in_two_processes_at_once_takes_effect_once(world: World) {
    world.bank().accept("1", "first", &deposit(5)).await;
    // The slow one has loaded and decided when the other one begins. No two decide at one instant:
    // of commits that are the same to the byte, nobody could tell whose was first.
    let gate = Gate::first(is_append);
    let slow = Bank::new(tapped(world.ports.clone(), gate.clone()));
    slow.clock.shift(Duration::milliseconds(1));
    let held = tokio::spawn(async move { slow.accept("1", "a", &withdraw(4)).await });
    gate.arrived().await;
    let quick = world.bank().accept("1", "a", &withdraw(4)).await;
    gate.release();
    let slow = held.await.unwrap();
    assert_eq!(slow, Receipt { replayed: true, ..quick });
    assert_eq!(world.events(&account("1")).await.len(), 2);

    let racers = (0..16).map(|nth| {
        let bank = world.bank();
        bank.clock.shift(Duration::milliseconds(nth));
        tokio::spawn(async move { bank.accept("1", "b", &withdraw(1)).await })
    });
    let receipts = futures::future::join_all(racers).await;
    let firsts = receipts.iter().filter(|receipt| !receipt.as_ref().unwrap().replayed).count();
    assert_eq!(firsts, 1);
    assert_eq!(world.events(&account("1")).await.len(), 3);
}

async fn another_writer_between_an_append_and_its_repetition_changes_nothing(world: World) {
    world.bank().accept("1", "first", &deposit(5)).await;
    let lost = Faulty::new(is_append, [Some(Fault::After(ErrorKind::Unavailable))]);
    let (gate, counted) = (Gate::nth(1, is_append), Counted::new());
    let ports = tapped(tapped(tapped(world.ports.clone(), lost), gate.clone()), counted.clone());
    let bank = Bank::new(ports);
    let held = tokio::spawn(async move { bank.accept("1", "a", &withdraw(4)).await });
    gate.arrived().await;
    world.bank().accept("1", "b", &withdraw(1)).await;
    gate.release();
    let receipt = held.await.unwrap();
    assert_eq!(receipt.version.0, 2, "it is its own commit that it was in the way of");
    assert_eq!(counted.take()["append"].requests, 2);
    assert_eq!(world.events(&account("1")).await.len(), 3);
}
