use std::sync::Arc;

use async_trait::async_trait;

use crate::functions::{Context, Function, unfit};
use crate::{
    CloudEvent, Descriptor, ErrorKind, Failed, Kind, RecordedCommit, Reply, Result, Trigger,
};

/// The name of the function that announces recorded events.
pub(crate) const RELAY: &str = "relay";

/// Announces recorded events: all but those of sagas' own streams, which nobody else hears.
pub(crate) struct RelayFunction;

#[async_trait]
impl Function for RelayFunction {
    fn descriptor(&self) -> Descriptor {
        Descriptor::new(RELAY, Kind::Relay)
    }

    fn check(&self, _: &Descriptor) -> Result<()> {
        Ok(())
    }

    async fn invoke(&self, context: &Context, trigger: Trigger) -> Result<Reply> {
        let Trigger::Commits(commits) = trigger else { return Err(unfit(RELAY, &trigger)) };
        let news = commits.iter().filter(|commit| commit.stream.saga().is_none());
        let events = news.flat_map(RecordedCommit::events);
        let events: Vec<_> = events.map(|event| CloudEvent::new(context.app, &event)).collect();
        if events.is_empty() {
            return Ok(Reply::Handled(vec![]));
        }
        let mut outcomes = context.ports.publisher.publish(&events).await;
        by_reference(context, &events, &mut outcomes).await;
        let failed = events.into_iter().zip(outcomes).filter_map(|(event, outcome)| {
            let error = Arc::new(outcome.err()?);
            Some(Failed { event: event.id, error })
        });
        Ok(Reply::Handled(failed.collect()))
    }
}

/// Announces by reference those of `events` that the bus refuses for good, and puts what comes of
/// it in the place of the refusal: it may be what they hold that it does not take, and whoever
/// hears of them reads the store.
async fn by_reference(context: &Context, events: &[CloudEvent], outcomes: &mut [Result<()>]) {
    let is_refused = |outcome: &Result<()>| {
        let kind = outcome.as_ref().err().map(|error| error.kind());
        matches!(kind, Some(ErrorKind::Invalid | ErrorKind::Oversized))
    };
    let refused = events.iter().zip(outcomes).filter(|(_, outcome)| is_refused(outcome));
    let (news, places): (Vec<_>, Vec<_>) =
        refused.map(|(event, outcome)| (event.clone().by_reference(), outcome)).unzip();
    if news.is_empty() {
        return;
    }
    let again = context.ports.publisher.publish(&news).await;
    for (place, outcome) in places.into_iter().zip(again) {
        *place = outcome;
    }
}
