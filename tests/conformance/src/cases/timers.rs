//! A timer runs its command once, unless it was cancelled first.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skyfold::limits::TIMERS_MAX;
use skyfold::ports::QueuedCommand;
use skyfold::{
    App, Effect, ErrorKind, Ports, RecordedEvent, Reply, Saga, StreamId, Subscription, Trigger,
};

use super::bank::{account, note};
use super::world::id;
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{Account, Event};
use crate::faults::{Counted, Crash, Gate, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_timer_runs_its_command_when_it_is_due,
    a_timer_waits_for_days_in_hops,
    a_crash_at_any_side_of_every_hop_neither_loses_a_timer_nor_runs_it_early,
    a_cancelled_timer_never_runs_however_late_and_often_it_is_delivered,
    a_timer_set_anew_runs_once_and_as_it_was_set_last,
    the_end_of_a_transaction_cancels_its_timers,
    a_timer_of_another_name_or_transaction_is_left_alone,
    a_crash_between_record_and_queue_neither_loses_nor_revives_a_timer,
    a_timer_that_is_cancelled_while_it_fires_runs_or_does_not,
    a_timer_that_fires_while_its_transaction_hears_another_event_runs_before_it,
    a_timer_costs_one_read_when_it_fires,
    #[needs(Bus, Queue, Delays)]
    timers_run_and_are_cancelled_by_the_adapters_own_means,
    more_timers_than_a_record_may_name_are_refused,
];

/// Does what the notes of an account say: `set NAME SECONDS`, `cancel NAME`, `end`, `begin`. A
/// timer leaves a note on the account `rung`.
struct Alarm;

#[derive(Clone, Default, Serialize, Deserialize)]
struct AlarmState {
    has_ended: bool,
}

impl Saga for Alarm {
    const NAME: &'static str = "alarm";
    type Input = Event;
    type State = AlarmState;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        Some(event.stream.id()).filter(|account| *account != id("rung"))
    }

    fn react(state: &mut AlarmState, event: &RecordedEvent<Event>) -> Vec<Effect> {
        let Event::Noted { text } = &event.data else { return vec![] };
        let mut asked = vec![];
        for order in text.split(", ") {
            match order.split(' ').collect::<Vec<_>>()[..] {
                ["set", name, seconds] => {
                    let delay = Duration::from_secs(seconds.parse().unwrap());
                    let ring = note(&format!("{name} of {}", event.id()), 1);
                    asked.push(Effect::send::<Account>(&id("rung"), ring).after(delay).named(name));
                }
                ["cancel", name] => asked.push(Effect::cancel(name)),
                ["end"] => state.has_ended = true,
                ["begin"] => state.has_ended = false,
                _ => {}
            }
        }
        asked
    }

    fn has_ended(state: &AlarmState) -> bool {
        state.has_ended
    }
}

const DAY: u64 = 24 * 60 * 60;

/// A process that runs the saga, and the queue that it sends to.
struct Clockwork {
    world: World,
    bank: Bank,
    mailbox: Mailbox,
}

impl Clockwork {
    fn new(world: World) -> Self {
        let mailbox = Mailbox::default();
        let bank = alarms(mailbox.on(&world.ports));
        Self { world, bank, mailbox }
    }

    /// Lets the saga hear what `account` notes.
    async fn tell(&self, account_id: &str, text: &str) {
        let id = format!("{}", self.world.events(&account(account_id)).await.len());
        self.bank.accept(account_id, &id, &note(text, 1)).await;
        self.bank.handle("alarm", &self.world.news(&account(account_id)).await).await;
    }

    fn pass(&self, seconds: u64) {
        self.bank.clock.shift(time::Duration::seconds(seconds.try_into().unwrap()));
    }

    /// Delivers `command`, as a queue may at any time.
    async fn deliver(&self, command: &QueuedCommand) -> Reply {
        let trigger = Trigger::Queued(command.clone());
        self.bank.runtime.invoke("account", trigger).await.unwrap()
    }

    /// What the timers have left so far.
    async fn rung(&self) -> Vec<String> {
        rung(&self.world).await
    }
}

fn alarms(ports: Ports) -> Bank {
    Bank::of(App::new("bank").decider::<Account>().saga::<Alarm>(), ports)
}

async fn rung(world: &World) -> Vec<String> {
    let text = |event: &RecordedEvent| match event.data.decode::<serde_json::Value>() {
        Ok(data) => data["text"].as_str().unwrap_or_default().to_owned(),
        Err(error) => panic!("{error}"),
    };
    world.events(&account("rung")).await.iter().map(text).collect()
}

fn was_cancelled(reply: &Reply) -> bool {
    matches!(reply, Reply::Cancelled)
}

fn has_run(reply: &Reply) -> bool {
    matches!(reply, Reply::Accepted(_))
}

async fn a_timer_runs_its_command_when_it_is_due(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 180").await;
    let timer = clockwork.mailbox.commands().remove(0);
    clockwork.pass(181);
    for _ in 0..3 {
        assert!(has_run(&clockwork.deliver(&timer).await));
    }
    assert_eq!(clockwork.rung().await, ["tea of account-1@1"]);
}

async fn a_timer_waits_for_days_in_hops(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", &format!("set rent {}", 30 * DAY)).await;
    clockwork.tell("2", &format!("set rent {}", 30 * DAY)).await;
    let timers = clockwork.mailbox.commands();
    for day in 0..30 {
        if day == 20 {
            clockwork.tell("2", "cancel rent").await;
        }
        let hops = clockwork.mailbox.commands().len();
        for timer in &timers {
            assert!(matches!(clockwork.deliver(timer).await, Reply::Deferred), "on day {day}");
        }
        assert_eq!(clockwork.mailbox.commands()[hops..], timers, "a hop changes nothing");
        clockwork.pass(DAY);
    }
    clockwork.pass(1);
    assert!(has_run(&clockwork.deliver(&timers[0]).await));
    assert!(was_cancelled(&clockwork.deliver(&timers[1]).await));
    assert_eq!(clockwork.rung().await, ["rent of account-1@1"]);
}

async fn a_crash_at_any_side_of_every_hop_neither_loses_a_timer_nor_runs_it_early(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", &format!("set rent {}", 10 * DAY)).await;
    for day in 0..10 {
        // What the queue holds is taken from it once somebody has sent it on, and not before.
        let waiting = clockwork.mailbox.commands();
        for (crash, arrives) in Crash::around(0).into_iter().zip([0, 1]) {
            let sent = clockwork.mailbox.commands().len();
            let doomed = alarms(tapped(clockwork.mailbox.on(&clockwork.world.ports), crash));
            doomed.clock.shift(time::Duration::days(day));
            let trigger = Trigger::Queued(waiting[0].clone());
            doomed.runtime.invoke("account", trigger).await.unwrap_err();
            assert_eq!(clockwork.mailbox.commands().len(), sent + arrives);
        }
        assert!(matches!(clockwork.deliver(&waiting[0]).await, Reply::Deferred), "on day {day}");
        clockwork.pass(DAY);
    }
    assert!(clockwork.rung().await.is_empty());
    clockwork.pass(1);
    let hops = clockwork.mailbox.commands();
    assert_eq!(hops.len(), 21, "two copies more with every hop");
    for timer in &hops {
        assert!(has_run(&clockwork.deliver(timer).await));
    }
    assert_eq!(clockwork.rung().await, ["rent of account-1@1"]);
}

async fn a_cancelled_timer_never_runs_however_late_and_often_it_is_delivered(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 180").await;
    let timer = clockwork.mailbox.commands().remove(0);
    clockwork.tell("1", "cancel tea").await;
    assert!(matches!(clockwork.deliver(&timer).await, Reply::Deferred));
    for wait in [181, DAY, 400 * DAY] {
        clockwork.pass(wait);
        for _ in 0..2 {
            assert!(was_cancelled(&clockwork.deliver(&timer).await));
        }
    }
    assert!(clockwork.rung().await.is_empty());
    clockwork.tell("1", "cancel nothing").await;
    assert!(was_cancelled(&clockwork.deliver(&timer).await), "nor after further records");
}

async fn a_timer_set_anew_runs_once_and_as_it_was_set_last(world: World) {
    let clockwork = Clockwork::new(world);
    for text in ["set tea 180", "set tea 60", "set tea 120, cancel tea, set tea 240"] {
        clockwork.tell("1", text).await;
    }
    let timers = clockwork.mailbox.commands();
    assert_eq!(timers.len(), 4);
    clockwork.pass(241);
    for _ in 0..2 {
        for timer in &timers[..3] {
            assert!(was_cancelled(&clockwork.deliver(timer).await));
        }
        assert!(has_run(&clockwork.deliver(&timers[3]).await));
    }
    assert_eq!(clockwork.rung().await, ["tea of account-1@3"]);
}

async fn the_end_of_a_transaction_cancels_its_timers(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 180, set rent 180").await;
    clockwork.tell("1", "end").await;
    clockwork.tell("1", "begin").await;
    clockwork.tell("1", "set rent 60").await;
    clockwork.pass(181);
    let mut ran = vec![];
    for timer in clockwork.mailbox.commands() {
        ran.push(has_run(&clockwork.deliver(&timer).await));
    }
    assert_eq!(ran, [false, false, true]);
    assert_eq!(clockwork.rung().await, ["rent of account-1@4"]);
}

async fn a_timer_of_another_name_or_transaction_is_left_alone(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 180, set rent 180").await;
    clockwork.tell("2", "set tea 180").await;
    clockwork.tell("1", "cancel tea").await;
    clockwork.pass(181);
    for timer in clockwork.mailbox.commands() {
        clockwork.deliver(&timer).await;
    }
    assert_eq!(clockwork.rung().await, ["rent of account-1@1", "tea of account-2@1"]);
}

async fn a_crash_between_record_and_queue_neither_loses_nor_revives_a_timer(world: World) {
    let mailbox = Mailbox::default();
    let (ports, crash) = (mailbox.on(&world.ports), Crash::before(1));
    let bank = alarms(ports.clone());
    bank.accept("1", "a", &note("set tea 180", 1)).await;
    bank.accept("1", "b", &note("cancel tea", 1)).await;
    bank.accept("2", "c", &note("set tea 180", 1)).await;
    let (one, two) = (world.news(&account("1")).await, world.news(&account("2")).await);
    // Recorded and not sent: whoever takes over sends what the record says.
    assert!(!alarms(tapped(ports.clone(), crash)).deliver("alarm", &two).await.is_empty());
    assert_eq!(mailbox.commands(), []);
    let clockwork = Clockwork { bank: alarms(ports), mailbox, world };
    clockwork.bank.handle("alarm", &two).await;
    // Sent and cancelled, and then sent again by one who crashed before its checkpoint.
    let doomed = alarms(tapped(clockwork.mailbox.on(&clockwork.world.ports), Crash::before(2)));
    assert!(!doomed.deliver("alarm", &one[..1]).await.is_empty());
    clockwork.bank.handle("alarm", &one).await;
    let timers = clockwork.mailbox.commands();
    assert_eq!(timers.len(), 3);
    assert_eq!(timers[1], timers[2], "it is the same timer");
    clockwork.pass(181);
    for timer in &timers {
        clockwork.deliver(timer).await;
    }
    assert_eq!(clockwork.rung().await, ["tea of account-2@1"]);
}

async fn a_timer_that_is_cancelled_while_it_fires_runs_or_does_not(world: World) {
    // The cancellation is recorded after the timer was found set, and before its command is
    // recorded: it fired first.
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 1").await;
    let timer = clockwork.mailbox.commands().remove(0);
    let gate = Gate::first(|request| matches!(request, Request::Append(..)));
    let firing = alarms(tapped(clockwork.mailbox.on(&clockwork.world.ports), gate.clone()));
    firing.clock.shift(time::Duration::seconds(2));
    let command = Trigger::Queued(timer.clone());
    let held = tokio::spawn(async move { firing.runtime.invoke("account", command).await });
    gate.arrived().await;
    clockwork.tell("1", "cancel tea").await;
    gate.release();
    assert!(has_run(&held.await.unwrap().unwrap()));
    assert_eq!(clockwork.rung().await.len(), 1);
    clockwork.pass(2);
    assert!(was_cancelled(&clockwork.deliver(&timer).await), "it does not run again");
    assert_eq!(clockwork.rung().await.len(), 1);
}

async fn a_timer_that_fires_while_its_transaction_hears_another_event_runs_before_it(world: World) {
    // The other order: the record that cancels it is on its way when the timer looks.
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 1").await;
    let timer = clockwork.mailbox.commands().remove(0);
    clockwork.bank.accept("1", "cancel", &note("cancel tea", 1)).await;
    let news = clockwork.world.news(&account("1")).await;
    let gate = Gate::first(|request| matches!(request, Request::Append(..)));
    let hearing = alarms(tapped(clockwork.mailbox.on(&clockwork.world.ports), gate.clone()));
    let held = tokio::spawn(async move { hearing.deliver("alarm", &news).await });
    gate.arrived().await;
    clockwork.pass(2);
    assert!(has_run(&clockwork.deliver(&timer).await));
    gate.release();
    assert!(held.await.unwrap().is_empty());
    assert!(was_cancelled(&clockwork.deliver(&timer).await), "it does not run again");
    assert_eq!(clockwork.rung().await.len(), 1);
}

async fn a_timer_costs_one_read_when_it_fires(world: World) {
    let clockwork = Clockwork::new(world);
    clockwork.tell("1", "set tea 1").await;
    clockwork.tell("2", "set tea 1").await;
    clockwork.tell("2", "cancel tea").await;
    let timers = clockwork.mailbox.commands();
    let counted = Counted::new();
    let bank = alarms(tapped(clockwork.mailbox.on(&clockwork.world.ports), counted.clone()));
    for (timer, costs) in timers.iter().zip([vec![("append", 1), ("read", 2)], vec![("read", 1)]]) {
        bank.clock.shift(time::Duration::seconds(2));
        bank.runtime.invoke("account", Trigger::Queued(timer.clone())).await.unwrap();
        assert_eq!(counted.requests(), costs, "beside what a command costs");
    }
}

async fn timers_run_and_are_cancelled_by_the_adapters_own_means(world: World) {
    let bank = alarms(world.ports.clone());
    for (name, text) in [("1", "set tea 3"), ("2", "set tea 3")] {
        bank.accept(name, "set", &note(text, 1)).await;
    }
    world.settle(&bank.runtime).await;
    bank.accept("2", "cancel", &note("cancel tea", 1)).await;
    world.settle(&bank.runtime).await;
    world.pass(Duration::from_secs(4)).await;
    world.settle(&bank.runtime).await;
    assert_eq!(rung(&world).await, ["tea of account-1@1"]);
}

async fn more_timers_than_a_record_may_name_are_refused(world: World) {
    let clockwork = Clockwork::new(world);
    let set = |nth| format!("set timer{nth} 60");
    let many: Vec<_> = (0..TIMERS_MAX).map(set).collect();
    clockwork.tell("1", &many.join(", ")).await;
    assert_eq!(clockwork.mailbox.commands().len(), TIMERS_MAX);
    clockwork.bank.accept("1", "z", &note(&set(TIMERS_MAX), 1)).await;
    let news = clockwork.world.news(&account("1")).await;
    let letters = clockwork.bank.set_aside("alarm", &news).await;
    assert_eq!(letters[0].kind, ErrorKind::Oversized.code(), "{letters:?}");
}
