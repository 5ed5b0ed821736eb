use std::marker::PhantomData;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::functions::consumer::{Delivery, Doorbell, STRIDE_MAX};
use crate::functions::intervention::Steered;
use crate::functions::parking::{self, Aside, Consumer, Standing};
use crate::functions::record::{Reacted, Record, dispatch, effect_id, heard_id};
use crate::functions::streams::{Fold, Known, load_cheaply, load_current};
use crate::functions::timers::Timers;
use crate::functions::{ATTEMPTS_MAX, Context, Function, guarded, unfit};
use crate::name::{Dash, check_name};
use crate::ports::{Consistency, Range};
use crate::saga::own_category;
use crate::stores::Checkpoints;
use crate::{
    Descriptor, Effect, Error, ErrorKind, EventId, FoldedState, Kind, Payload, RecordedCommit,
    RecordedEvent, Reply, Result, Saga, Snapshots, StateAsOf, StreamId, StreamName, Subscription,
    Trigger, Version,
};

/// Runs one saga: record what came in and what to ask for, then ask for it.
pub(crate) struct SagaFunction<S: Saga> {
    subscription: Subscription<S::Input>,
    /// The category of its streams, and its name as a consumer: `saga.fulfilment`.
    category: String,
    saga: PhantomData<fn(S)>,
}

/// A transaction: its state, and the timers that are set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Instance<T> {
    state: T,
    #[serde(default, skip_serializing_if = "Timers::is_empty")]
    pub(crate) timers: Timers,
}

impl<S: Saga> SagaFunction<S> {
    pub(crate) fn new() -> Self {
        let (subscription, category) = (S::subscription(), own_category(S::NAME));
        Self { subscription, category, saga: PhantomData }
    }

    /// The state after those of `history` that belong to a transaction.
    fn after(&self, history: &[RecordedEvent]) -> Result<FoldedState> {
        let mut state = S::State::default();
        for event in history {
            let heard = self.subscription.decode(event.clone())?;
            if correlate::<S>(&heard)?.is_some() {
                self.react(&mut state, &heard)?;
            }
        }
        Ok(FoldedState { format: S::SNAPSHOTS.format, state: Payload::encode(&state)? })
    }

    fn react(&self, state: &mut S::State, event: &RecordedEvent<S::Input>) -> Result<Vec<Effect>> {
        guarded(|| format!("the saga {} on {}", S::NAME, event.id()), || S::react(state, event))
    }
}

impl<S: Saga> Fold for SagaFunction<S> {
    type State = Instance<S::State>;

    fn snapshots(&self) -> Snapshots {
        S::SNAPSHOTS
    }

    fn fold(&self, instance: &mut Instance<S::State>, event: &RecordedEvent) -> Result<()> {
        match Record::read(event)? {
            Record::Reacted(Reacted { heard, timers, .. }) => {
                instance.timers = timers;
                self.react(&mut instance.state, &self.subscription.decode(heard)?).map(|_| ())
            }
            Record::Intervened(intervened) => {
                instance.timers = intervened.timers;
                Ok(())
            }
        }
    }
}

/// The transaction that `event` belongs to, if any.
fn correlate<S: Saga>(event: &RecordedEvent<S::Input>) -> Result<Option<StreamId>> {
    guarded(|| format!("the correlation of {}", event.id()), || S::correlate(event))
}

#[async_trait]
impl<S: Saga> Function for SagaFunction<S> {
    fn descriptor(&self) -> Descriptor {
        let hears = self.subscription.categories().map(str::to_owned).collect();
        Descriptor { hears, ..Descriptor::new(S::NAME, Kind::Saga) }
    }

    fn check(&self, _: &Descriptor) -> Result<()> {
        check_name("the saga", S::NAME, Dash::Illegal)
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        match trigger {
            Trigger::Events(announced) => {
                Ok(Reply::Handled(parking::deliver(self, context, announced).await))
            }
            Trigger::State(id, _) => self.state(context, &id).await.map(Reply::State),
            trigger => Err(unfit(S::NAME, &trigger)),
        }
    }

    fn consumer(&self) -> Option<&dyn Consumer> {
        Some(self)
    }

    fn steered(&self) -> Option<&dyn Steered> {
        Some(self)
    }

    fn state_after(&self, history: &[RecordedEvent]) -> Option<Result<FoldedState>> {
        Some(self.after(history))
    }
}

#[async_trait]
impl<S: Saga> Consumer for SagaFunction<S> {
    fn name(&self) -> &str {
        S::NAME
    }

    fn place(&self) -> &str {
        &self.category
    }

    fn hears(&self, category: &str) -> bool {
        self.subscription.hears(category)
    }

    async fn handle(&self, context: &Context, delivery: &mut Delivery<'_>) -> Result<()> {
        let (stream, announced) = (delivery.stream, delivery.announced);
        let checkpoints = self.checkpoints(context);
        let standing = checkpoints.standing(stream).await?;
        if delivery.waits(standing) {
            return Ok(());
        }
        let reached = standing.reached;
        let mut doorbell = Doorbell::new(&*context.ports.events, stream, reached, announced);
        loop {
            let due = doorbell.next(STRIDE_MAX).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut handled = None;
            let mut outcome = Ok(());
            for event in due {
                let version = event.version;
                outcome = self.hear(context, event).await;
                if outcome.is_err() {
                    break;
                }
                delivery.reach(version);
                handled = Some(version);
            }
            if let Some(version) = handled {
                checkpoints.advance(stream, version).await?;
            }
            outcome?;
        }
    }

    async fn standing(&self, context: &Context, stream: &StreamName) -> Result<Standing> {
        self.checkpoints(context).standing(stream).await
    }

    async fn step(&self, context: &Context, event: &EventId, step: Aside) -> Result<()> {
        self.checkpoints(context).step(event, step).await
    }
}

impl<S: Saga> SagaFunction<S> {
    fn checkpoints<'a>(&'a self, context: &'a Context) -> Checkpoints<'a> {
        Checkpoints::new(&*context.ports.documents, &self.category)
    }

    /// Records what `event` asks for unless that was done before, and then asks for it: after a
    /// crash between the two, the record says what to ask for.
    async fn hear(&self, context: &Context, event: RecordedEvent) -> Result<()> {
        let (heard, id) = self.correlated(event.clone())?;
        let Some(id) = id else { return Ok(()) };
        let stream = StreamName::new(&self.category, &id);
        let id = heard_id(S::NAME, &event);
        let mut loaded = load_cheaply(self, context, &stream).await?;
        for _ in 0..ATTEMPTS_MAX {
            if let Known::Recorded(entry) = loaded.known(context, &id).await? {
                let commit = self.record(context, &stream, entry.first).await?;
                return dispatch(context, &commit).await;
            }
            let mut instance = loaded.state.clone();
            let asked = self.react(&mut instance.state, &heard)?;
            instance.timers = match S::has_ended(&instance.state) {
                true => Timers::default(),
                false => {
                    instance.timers.after(&stream, &asked, |nth| effect_id(&stream, &event, nth))?
                }
            };
            let timers = instance.timers.clone();
            let reacted = Reacted { heard: event.clone(), asked, timers };
            let mut commit =
                Record::Reacted(reacted).commit(context, &id, event.metadata.clone())?;
            // Delays are counted from the time that is recorded.
            loaded.stamp(&mut commit);
            let first = loaded.head.version().next();
            let recorded = RecordedCommit { stream: stream.clone(), first, commit: commit.clone() };
            match loaded.append(self, context, commit, instance).await {
                Ok(_) => return dispatch(context, &recorded).await,
                // Another delivery was faster: what it recorded is what counts.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
            loaded = load_current(self, context, &stream).await?;
        }
        let message = format!("{stream} was written {ATTEMPTS_MAX} times meanwhile");
        Err(Error::new(ErrorKind::Conflict, message))
    }

    /// `event` decoded, and the transaction that it belongs to, if any.
    pub(crate) fn correlated(
        &self,
        event: RecordedEvent,
    ) -> Result<(RecordedEvent<S::Input>, Option<StreamId>)> {
        let heard = self.subscription.decode(event)?;
        let id = correlate::<S>(&heard)?;
        Ok((heard, id))
    }

    /// The category of its streams.
    pub(crate) fn category(&self) -> &str {
        &self.category
    }

    /// The commit of `stream` whose first event is `first`.
    pub(crate) async fn record(
        &self,
        context: &Context,
        stream: &StreamName,
        first: Version,
    ) -> Result<RecordedCommit> {
        let range = Range::Before(first.next());
        let read = context.ports.events.read(stream, range, 1, Consistency::Strong);
        let commit = read.await?.commits.pop().filter(|commit| commit.first == first);
        commit.ok_or_else(|| Error::corrupt(format!("{stream} has lost its commit at {first}")))
    }

    /// The state of a transaction as it is now.
    async fn state(&self, context: &Context, id: &StreamId) -> Result<StateAsOf> {
        let stream = StreamName::new(&self.category, id);
        let loaded = load_current(self, context, &stream).await?;
        let state = Payload::encode(&serde_json::json!({
            "hasEnded": S::has_ended(&loaded.state.state),
            "state": Payload::encode(&loaded.state.state)?,
        }))?;
        let (version, time) = (loaded.head.version(), loaded.time());
        Ok(StateAsOf { stream, version, time, state, forgotten: 0 })
    }
}
