use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use skyfold::ports::{FeedQuery, Position};
use skyfold::{Error, Failed, Result, Runtime, host};

use crate::broker::Broker;
use crate::chaos::{Chaos, Fate};
use crate::store::{SLICES, Store};
use crate::subscribers::Subscribers;

/// How many deliveries may wait before the log is read no further.
const WAITING_MAX: usize = 10_000;

/// Reads the log and has the relay function announce what is new, page by page. The log itself is
/// the buffer: while the subscribers are behind, nothing more is read.
#[derive(Debug)]
pub(crate) struct Relay {
    store: Arc<Store>,
    broker: Arc<Broker>,
    /// Where each slice was read to.
    positions: Mutex<Vec<Option<Position>>>,
    /// Held by whoever moves them on, so that hosts side by side do not announce the same.
    turn: tokio::sync::Mutex<()>,
    /// How often it failed in a row.
    failures: AtomicU32,
    chaos: Arc<Chaos>,
}

impl Relay {
    pub(crate) fn new(store: Arc<Store>, broker: Arc<Broker>, chaos: Arc<Chaos>) -> Self {
        let positions = Mutex::new(vec![None; usize::from(SLICES)]);
        let turn = tokio::sync::Mutex::new(());
        Self { store, broker, positions, turn, failures: AtomicU32::new(0), chaos }
    }

    /// Announces a page of each slice. Says how many commits there were.
    ///
    /// A page that was announced in part is announced again as a whole: whoever hears of an event
    /// twice drops it.
    pub(crate) async fn pass(&self, runtime: &Runtime, to: &Subscribers) -> Result<usize> {
        let _turn = self.turn.lock().await;
        let mut count = 0;
        for slice in 0..SLICES {
            if self.broker.waiting() >= WAITING_MAX {
                break;
            }
            let fate = Fate::after(self.failures.load(Ordering::Relaxed));
            let page = self.page(runtime, to, slice);
            let (commits, _) = self.chaos.invoke(fate, page).await;
            match &commits {
                Ok(_) => self.failures.store(0, Ordering::Relaxed),
                Err(_) => _ = self.failures.fetch_add(1, Ordering::Relaxed),
            }
            count += commits?;
        }
        Ok(count)
    }

    /// Announces the next page of `slice`.
    async fn page(&self, runtime: &Runtime, to: &Subscribers, slice: u16) -> Result<usize> {
        let position = self.positions()[usize::from(slice)].clone();
        let feed = &runtime.ports().feed;
        let page = feed.read(slice, &FeedQuery::default(), position.as_ref()).await?;
        let count = page.commits.len() + page.unreadable.len();
        if count > 0 {
            self.chaos.note(|| format!("the relay takes {count} commits of slice {slice}"));
            let relay = to.relay(runtime)?;
            let failed = host::relay(runtime, relay, page.commits, &page.unreadable).await;
            self.broker.fan_out(runtime, to);
            if let Some(Failed { event, error }) = failed?.into_iter().next() {
                let message = format!("{event} could not be announced");
                return Err(Error::new(error.kind(), message).with_source(error));
            }
        }
        self.positions()[usize::from(slice)] = Some(page.next);
        Ok(count)
    }

    /// How many commits have not been announced.
    pub(crate) fn left(&self) -> usize {
        let positions = self.positions();
        let left = |(slice, at): (u16, &Option<Position>)| {
            self.store.left(slice, at.as_ref()).expect("the store made these positions")
        };
        (0..).zip(positions.iter()).map(left).sum()
    }

    fn positions(&self) -> MutexGuard<'_, Vec<Option<Position>>> {
        self.positions.lock().expect("nothing panics while it holds the positions")
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use skyfold::limits::{COMMIT_EVENTS_MAX, PAGE_ITEMS_MAX};
    use skyfold::{
        App, Category, CommandId, CommandRequest, Decider, Payload, Projection, RecordedEvent,
        StreamId, Subscription, Trigger,
    };

    use super::*;
    use crate::Memory;

    /// Records as many events as fit.
    struct Many;

    #[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
    enum Ask {
        Much,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
    enum Said {
        Something,
    }

    impl Decider for Many {
        const CATEGORY: Category = "many";
        type State = ();
        type Command = Ask;
        type Event = Said;
        type Error = std::convert::Infallible;

        fn decide((): &(), _: Ask) -> Result<Vec<Said>, Self::Error> {
            Ok(vec![Said::Something; COMMIT_EVENTS_MAX])
        }

        fn evolve((): &mut (), _: &Said) {}
    }

    impl Projection for Many {
        const NAME: &'static str = "counts";
        type Input = Said;
        type View = u64;

        fn subscription() -> Subscription<Said> {
            Subscription::of::<Self>()
        }

        fn project(_: &str, count: Option<u64>, _: &RecordedEvent<Said>) -> Option<u64> {
            Some(count.unwrap_or_default() + 1)
        }
    }

    #[tokio::test]
    async fn the_log_is_read_no_further_while_deliveries_wait() {
        let memory = Memory::new();
        let app = App::new("many").decider::<Many>().projection::<Many>();
        let runtime = app.bind(memory.ports()).unwrap();
        let commits = 2 * WAITING_MAX / COMMIT_EVENTS_MAX;
        for nth in 0..commits {
            let request = CommandRequest {
                stream: StreamId::new(nth.to_string()).unwrap(),
                id: CommandId::new(nth.to_string()).unwrap(),
                command: Payload::encode(&Ask::Much).unwrap(),
                expected: None,
                metadata: Default::default(),
            };
            runtime.invoke("many", Trigger::Command(request)).await.unwrap();
        }
        let (relay, broker) = (&memory.driver.relay, &memory.driver.broker);
        let subscribers = Subscribers::default();
        while relay.pass(&runtime, &subscribers).await.unwrap() > 0 {}
        let waiting = broker.waiting();
        assert!((WAITING_MAX..WAITING_MAX + PAGE_ITEMS_MAX * COMMIT_EVENTS_MAX).contains(&waiting));
        assert!(relay.left() > 0);
        memory.settle(&runtime).await.unwrap();
        let views = memory.dump().unwrap().documents;
        assert_eq!(views.len(), commits);
        assert!(views.iter().all(|view| view.body["view"] == COMMIT_EVENTS_MAX));
    }
}
