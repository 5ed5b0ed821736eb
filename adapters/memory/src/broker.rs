use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
use skyfold::ports::{Clock, QueuedCommand};
use skyfold::{Error, ErrorKind, Runtime};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::chaos::Chaos;
use crate::clock::Time;
use crate::inbox::{Announcement, Inbox, Item, Pace, Work};
use crate::lease::Lease;
use crate::pending::Pending;
use crate::subscribers::Subscribers;
use crate::wake::Wake;

/// How long failed work waits the first time; twice as long each time after.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// How long failed work waits, at most.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// How many announcements may wait to be handed to their subscribers: those of two full pages of
/// the feed.
const TOPIC_MAX: usize = 2 * PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX;

/// The bus and the queue of one process, up to the doors of its functions.
pub(crate) struct Broker {
    state: Mutex<State>,
    time: Time,
    chaos: Arc<Chaos>,
    wake: Wake,
}

#[derive(Default)]
struct State {
    /// Announced, and not handed to the subscribers yet.
    topic: VecDeque<Announcement>,
    /// By function.
    inboxes: BTreeMap<String, Inbox>,
    /// Commands that are due later, by the time and the order in which they came.
    delayed: BTreeMap<(OffsetDateTime, u64), QueuedCommand>,
    /// How many commands were delayed so far.
    delays: u64,
    /// How often work was handed out.
    round: u64,
    /// How much was finished so far.
    finished: u64,
    last_failure: Option<Arc<Error>>,
}

/// A moment, by the clock of the ports and by one that never stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) time: OffsetDateTime,
    pub(crate) instant: Instant,
}

impl Broker {
    pub(crate) fn new(time: Time, chaos: Arc<Chaos>, wake: Wake) -> Self {
        Self { state: Mutex::default(), time, chaos, wake }
    }

    /// Takes an announcement for whoever subscribed.
    pub(crate) fn announce(&self, announcement: Announcement) -> Result<(), Error> {
        let mut state = self.lock();
        if state.topic.len() >= TOPIC_MAX {
            let message = format!("{TOPIC_MAX} announcements wait for their subscribers");
            return Err(Error::new(ErrorKind::Throttled, message));
        }
        state.topic.push_back(announcement);
        drop(state);
        self.wake.ring();
        Ok(())
    }

    /// Hands what was announced to every function of `runtime` that hears it.
    pub(crate) fn fan_out(&self, runtime: &Runtime, to: &Subscribers) {
        let announced = std::mem::take(&mut self.lock().topic);
        if announced.is_empty() {
            return;
        }
        // Asked for before the lock is taken, since it runs the app's code.
        to.prepare(runtime);
        let mut state = self.lock();
        for announcement in announced {
            for function in to.of(runtime, announcement.id.stream.category()) {
                state.put(&self.chaos, function, Work::Hear(announcement.clone()));
            }
        }
    }

    /// Takes a command for its function.
    pub(crate) fn send(&self, command: QueuedCommand) {
        let mut state = self.lock();
        let early = || self.chaos.happens(|faults| faults.early, |counts| &mut counts.early);
        match command.due.filter(|due| *due > self.time.now() && !early()) {
            None => state.run(&self.chaos, command),
            Some(due) => {
                let key = (due, state.delays);
                state.delays += 1;
                state.delayed.insert(key, command);
            }
        }
        drop(state);
        self.wake.ring();
    }

    /// What each function may do next at `now`. Whatever is not finished comes again.
    pub(crate) fn leases(self: &Arc<Self>, pace: Pace, now: Now) -> Vec<Lease> {
        let mut state = self.lock();
        while let Some(entry) = state.delayed.first_entry()
            && entry.key().0 <= now.time
        {
            let command = entry.remove();
            state.run(&self.chaos, command);
        }
        let ready = |item: &Item| match pace {
            Pace::Eager => true,
            Pace::Patient => item.not_before.is_none_or(|then| then <= now.instant),
        };
        state.round += 1;
        let mut leases = state.take(&self.chaos, ready);
        while leases.is_empty()
            && let Some(round) = state.next_round()
        {
            state.round = round;
            leases = state.take(&self.chaos, ready);
        }
        let lease = |(function, items)| Lease::new(self.clone(), function, pace, items);
        leases.into_iter().map(lease).collect()
    }

    /// Takes back what was handed out: `failed` is still to be done, `done` is not, unless a fault
    /// has it come again.
    pub(crate) fn finish(
        &self,
        function: &str,
        pace: Pace,
        done: &[Item],
        failed: Vec<(Item, Arc<Error>)>,
    ) {
        let mut state = self.lock();
        state.finished += done.len() as u64;
        let items = failed.iter().map(|(item, _)| item).chain(done);
        state.inbox(function).release(items);
        let round = state.round;
        let echoes = done.iter().filter_map(|item| self.chaos.echo(item, round));
        state.inbox(function).waiting.extend(echoes);
        for (mut item, error) in failed {
            item.attempts += 1;
            state.last_failure = Some(error.clone());
            let delay = backoff(item.attempts).max(error.retry_after().unwrap_or_default());
            item.not_before = (pace == Pace::Patient).then(|| Instant::now() + delay);
            state.inbox(function).waiting.push_back(item);
        }
        drop(state);
        self.wake.ring();
    }

    /// When failed work may be tried again, after `now`, by whoever is patient.
    pub(crate) fn next_retry(&self, now: Now) -> Option<Instant> {
        let state = self.lock();
        let waiting = state.inboxes.values().flat_map(|inbox| &inbox.waiting);
        waiting.filter_map(|item| item.not_before).filter(|then| *then > now.instant).min()
    }

    /// When the next delayed command is due.
    pub(crate) fn next_due(&self) -> Option<OffsetDateTime> {
        self.lock().delayed.keys().next().map(|(due, _)| *due)
    }

    /// How much waits to be handed out.
    pub(crate) fn waiting(&self) -> usize {
        let pending = self.pending();
        pending.deliveries + pending.commands
    }

    /// How much is to be done, of which the commits are not known here.
    pub(crate) fn pending(&self) -> Pending {
        let state = self.lock();
        let mut pending = Pending {
            deliveries: state.topic.len(),
            delayed: state.delayed.len(),
            ..Pending::default()
        };
        for inbox in state.inboxes.values() {
            pending.working += inbox.working;
            match inbox.waiting.front().map(|item| &item.work) {
                None => {}
                // A function either hears or runs.
                Some(Work::Hear(_)) => pending.deliveries += inbox.waiting.len(),
                Some(Work::Run(_)) => pending.commands += inbox.waiting.len(),
            }
        }
        pending
    }

    /// How much was finished so far, one way or the other.
    pub(crate) fn finished(&self) -> u64 {
        self.lock().finished
    }

    /// Why work failed the last time that it did.
    pub(crate) fn last_failure(&self) -> Option<Arc<Error>> {
        self.lock().last_failure.clone()
    }

    /// Every text that waits somewhere.
    pub(crate) fn texts(&self) -> Vec<String> {
        let state = self.lock();
        let envelopes = state.topic.iter().map(|announcement| announcement.envelope.to_string());
        let waiting = state.inboxes.values().flat_map(|inbox| &inbox.waiting);
        let waiting = waiting.map(|item| match &item.work {
            Work::Hear(announcement) => announcement.envelope.to_string(),
            Work::Run(queued) => queued.request.command.to_string(),
        });
        let delayed = state.delayed.values().map(|queued| queued.request.command.to_string());
        let last = state.last_failure.iter().map(|error| format!("{error:?}"));
        envelopes.chain(waiting).chain(delayed).chain(last).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the broker's state")
    }
}

impl State {
    fn inbox(&mut self, function: &str) -> &mut Inbox {
        if !self.inboxes.contains_key(function) {
            self.inboxes.insert(function.to_owned(), Inbox::default());
        }
        self.inboxes.get_mut(function).expect("it was just put there")
    }

    fn run(&mut self, chaos: &Chaos, command: QueuedCommand) {
        let function = command.category.clone();
        self.put(chaos, &function, Work::Run(Box::new(command)));
    }

    fn put(&mut self, chaos: &Chaos, function: &str, work: Work) {
        let round = self.round;
        chaos.deliver(&mut self.inbox(function).waiting, Item::new(work), round);
    }

    /// What each function is given in this round.
    fn take(
        &mut self,
        chaos: &Chaos,
        ready: impl Fn(&Item) -> bool + Copy,
    ) -> Vec<(String, Vec<Item>)> {
        let round = self.round;
        let ready = |item: &Item| item.from_round <= round && ready(item);
        let mut leases = vec![];
        for (function, inbox) in &mut self.inboxes {
            let portion = chaos.portion();
            chaos.lose(&mut inbox.waiting, ready, round);
            loop {
                let items = inbox.lease(portion, ready);
                if items.is_empty() {
                    break;
                }
                leases.push((function.clone(), items));
            }
        }
        leases
    }

    /// The first round for which something is held back.
    fn next_round(&self) -> Option<u64> {
        let waiting = self.inboxes.values().flat_map(|inbox| &inbox.waiting);
        waiting.map(|item| item.from_round).filter(|round| *round > self.round).min()
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Broker").field(&self.pending()).finish()
    }
}

/// How long work waits that has failed `attempts` times.
fn backoff(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    (BACKOFF_FIRST * 2_u32.pow(doublings)).min(BACKOFF_MAX)
}
