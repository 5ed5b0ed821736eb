use std::sync::Arc;

use async_trait::async_trait;

use crate::functions::{Context, Function, unfit};
use crate::{CloudEvent, Descriptor, Failed, Kind, RecordedCommit, Reply, Result, Trigger};

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
        let outcomes = context.ports.publisher.publish(&events).await;
        let failed = events.into_iter().zip(outcomes).filter_map(|(event, outcome)| {
            let error = Arc::new(outcome.err()?);
            Some(Failed { event: event.id, error })
        });
        Ok(Reply::Handled(failed.collect()))
    }
}
