//! A command that was overtaken is decided again, on what the other one left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::join_all;
use skyfold::{App, ErrorKind};

use super::bank::{account, deposit, open, withdraw};
use super::{Bank, Case, World, cases};
use crate::domain::{Account, Command, State};
use crate::faults::{Counted, Fault, Request, Tap, tapped};

pub(super) const CASES: &[Case] = cases![
    an_overtaken_command_is_decided_again,
    an_overtaken_command_may_be_refused_then,
    an_overtaken_command_gives_up_after_a_while,
    an_overtaken_command_is_completed_at_the_edge_once,
    racing_commands_all_take_effect,
    racing_withdrawals_leave_nothing_overdrawn,
    racing_openings_open_once,
];

/// Another process that is faster: whenever this one is about to append, it has just done so.
#[derive(Debug)]
struct Rival {
    bank: Bank,
    command: Command,
    left: AtomicUsize,
}

impl Rival {
    fn new(world: &World, times: usize, command: Command) -> Arc<Self> {
        Arc::new(Self { bank: world.bank(), command, left: AtomicUsize::new(times) })
    }
}

#[async_trait]
impl Tap for Rival {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        let Request::Append(head, _) = request else { return None };
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 {
            self.left.store(left - 1, Ordering::SeqCst);
            let (account, id) = (head.stream().id(), format!("rival-{left}"));
            self.bank.accept(account.as_str(), &id, &self.command).await;
        }
        None
    }
}

async fn an_overtaken_command_is_decided_again(world: World) {
    world.bank().accept("1", "a", &deposit(5)).await;
    let rival = Rival::new(&world, 5, withdraw(1));
    let bank = Bank::new(tapped(world.ports.clone(), rival));
    let receipt = bank.accept("1", "b", &Command::TopUp { cents: 9 }).await;
    assert_eq!((receipt.version.0, receipt.replayed), (7, false));
    let state = bank.state("account", "1", skyfold::AsOf::Now).await.unwrap();
    assert_eq!(state.state.decode::<State>().unwrap().cents, 9);
}

async fn an_overtaken_command_may_be_refused_then(world: World) {
    world.bank().accept("1", "a", &deposit(5)).await;
    let bank = Bank::new(tapped(world.ports.clone(), Rival::new(&world, 1, withdraw(5))));
    bank.refuse("1", "b", &withdraw(5)).await;
    assert_eq!(world.events(&account("1")).await.len(), 2);
}

async fn an_overtaken_command_gives_up_after_a_while(world: World) {
    let (rival, counted) = (Rival::new(&world, 1_000, deposit(1)), Counted::new());
    let bank = Bank::new(tapped(tapped(world.ports.clone(), rival), counted.clone()));
    let error = bank.fail("1", "b", &deposit(100)).await;
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let appends = counted.take()["append"].requests;
    assert_eq!(appends, 8);
    assert_eq!(world.events(&account("1")).await.len(), appends, "the rival's alone");
}

async fn an_overtaken_command_is_completed_at_the_edge_once(world: World) {
    // An edge that adds a cent: one that completes what it has completed adds another.
    let app = App::new("edge").decider_with_edge::<Account, _>(|command, _| async {
        Ok(match command {
            Command::Deposit { cents } => deposit(cents + 1),
            other => other,
        })
    });
    let rival = Rival::new(&world, 3, deposit(1));
    let bank = Bank::of(app, tapped(world.ports.clone(), rival));
    let receipt = bank.accept("1", "a", &deposit(5)).await;
    assert_eq!(receipt.version.0, 4);
    let last = world.events(&account("1")).await.pop().unwrap();
    assert_eq!(last.data.get(), r#"{"cents":6}"#);
}

async fn racing_commands_all_take_effect(world: World) {
    // As many as there can be without one of them being overtaken too often.
    let writers = (0..8).map(|n| {
        let bank = world.bank();
        tokio::spawn(async move { bank.accept("1", &n.to_string(), &deposit(1)).await.version.0 })
    });
    let mut versions: Vec<_> =
        join_all(writers).await.into_iter().map(|version| version.unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
}

async fn racing_withdrawals_leave_nothing_overdrawn(world: World) {
    world.bank().accept("1", "a", &deposit(10)).await;
    let writers = (0..32).map(|n| {
        let bank = world.bank();
        tokio::spawn(async move {
            for attempt in 0.. {
                match bank.send("1", &n.to_string(), &withdraw(3)).await {
                    Ok(reply) => return matches!(reply, skyfold::Reply::Accepted(_)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{attempt}"),
                }
            }
            false
        })
    });
    let accepted = join_all(writers).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(accepted, 3);
    assert_eq!(world.events(&account("1")).await.len(), 4);
}

async fn racing_openings_open_once(world: World) {
    let writers = (0..32).map(|n| {
        let bank = world.bank();
        tokio::spawn(async move { bank.send("1", &n.to_string(), &open("ada")).await.unwrap() })
    });
    let replies = join_all(writers).await;
    let is_accepted = |reply: &&Result<skyfold::Reply, _>| {
        matches!(reply.as_ref().unwrap(), skyfold::Reply::Accepted(_))
    };
    assert_eq!(replies.iter().filter(is_accepted).count(), 1);
    assert_eq!(world.events(&account("1")).await.len(), 1);
}
