use std::sync::Arc;

use time::OffsetDateTime;
use tracing::{Instrument, Span, field};

use crate::functions::{Context, Function, Rebuildable};
use crate::layers::{opened, with_retries};
use crate::operations::{self, DeadLetters, Health};
use crate::privacy::mark::reveal;
use crate::revisions;
use crate::{
    Announced, Answer, App, Error, ErrorKind, Events, Failed, Manifest, Metadata, Ports, Privacy,
    Reply, Result, Sagas, StateAsOf, Trigger,
};

/// An app bound to the ports of one cloud. Hosts translate their triggers and call it.
///
/// It is cheap to clone, and its clones share what they keep at hand.
#[derive(Clone, Debug)]
pub struct Runtime {
    app: App,
    context: Context,
}

impl Runtime {
    pub(crate) fn new(app: App, ports: Ports) -> Self {
        let context = Context::new(app.name(), Arc::new(app.revisions()), with_retries(ports));
        Self { app, context }
    }

    /// The same app on the same ports with nothing at hand, as after a restart of its process.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let context = self.context.restarted();
        Self { app: self.app.clone(), context }
    }

    /// Runs the function `name`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such function, and whatever it meets. A
    /// refusal by the domain is a reply, and so are a delivery that failed in part and a queued
    /// command that became a dead letter.
    pub async fn invoke(&self, name: &str, trigger: Trigger) -> Result<Reply> {
        let span = span(name, &trigger);
        let invoke = async {
            let trigger = opened(&self.context.vault, trigger).await?;
            let queued = match &trigger {
                Trigger::Queued(queued) => Some(queued.clone()),
                _ => None,
            };
            let outcome = self.call(name, trigger).await;
            match (&outcome, queued) {
                (Err(error), Some(queued)) if error.kind().is_final() => {
                    match operations::set_aside(&self.context, &queued, error).await {
                        Ok(id) => return Ok(Reply::DeadLetter(id)),
                        Err(error) => tracing::warn!(%error, "no dead letter could be written"),
                    }
                }
                (Err(error), _) => tracing::debug!(kind = ?error.kind(), %error, "failed"),
                (Ok(Reply::Handled(failed)), _) => failed.iter().for_each(warn),
                (Ok(Reply::Refused(reason)), Some(_)) => {
                    tracing::warn!(%reason, "a queued command was refused");
                }
                (Ok(Reply::Refused(reason)), None) => tracing::debug!(%reason, "refused"),
                (Ok(_), _) => {}
            }
            outcome
        };
        invoke.instrument(span).await
    }

    async fn call(&self, name: &str, trigger: Trigger) -> Result<Reply> {
        let function = self.function(name, &trigger).await?;
        function.invoke(&self.context, trigger).await.and_then(shown)
    }

    /// The function that takes `trigger` under `name`: of a read model that is listed in several
    /// revisions, the active one answers.
    async fn function(&self, name: &str, trigger: &Trigger) -> Result<&Arc<dyn Function>> {
        let functions = self.app.functions();
        let is_read = matches!(trigger, Trigger::View(_) | Trigger::List(_));
        let listed = self.context.revisions.of(name).filter(|_| is_read);
        let function = match listed {
            None => functions.get(name),
            Some(listed) => {
                let active = revisions::active(&*self.context.ports.documents, name, listed);
                let active = active.await?;
                let is_active =
                    |view: &dyn Rebuildable| view.name() == name && view.revision() == active;
                functions.values().find(|f| f.rebuildable().is_some_and(is_active))
            }
        };
        function.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no function {name}")))
    }

    /// Compares every projection and saga with the newest commits of the store, and counts the dead
    /// letters that wait.
    ///
    /// # Errors
    ///
    /// Those of the store: an app that cannot reach it is not healthy.
    pub async fn health(&self) -> Result<Health> {
        operations::health(self).await
    }

    /// What an operator sees of recorded events.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// What could not be done, for an operator to see to.
    pub fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters::new(self)
    }

    /// How many stored states this runtime found damaged, and ignored: those that did not match
    /// their checksum or could not be read. A cache that goes bad costs reads, never a decision.
    pub fn damaged_states(&self) -> u64 {
        self.context.damaged()
    }

    /// What an operator sees of the transactions of sagas, and does about them.
    pub fn sagas(&self) -> Sagas<'_> {
        Sagas::new(self)
    }

    /// What an operator does about personal data.
    pub fn privacy(&self) -> Privacy<'_> {
        Privacy::new(&self.context)
    }

    /// The time, by the clock of the ports.
    pub fn now(&self) -> OffsetDateTime {
        self.context.ports.clock.now()
    }

    /// What the functions share.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The app.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What there is to deploy.
    pub fn manifest(&self) -> Manifest {
        self.app.manifest()
    }

    /// The ports, as the functions use them: with retries, and with personal data in the clear.
    pub fn ports(&self) -> &Ports {
        &self.context.ports
    }
}

/// `reply` as an outsider is shown it: personal data bare, or `null` once they are forgotten.
fn shown(reply: Reply) -> Result<Reply> {
    Ok(match reply {
        Reply::Answer(answer) => {
            let (body, forgotten) = reveal(answer.body)?;
            // Forgetting writes nothing, and so the store does not tell the one from the other.
            let revision = answer.revision.map(|revision| match forgotten {
                0 => revision,
                count => format!("{revision};forgotten={count}"),
            });
            Reply::Answer(Answer { body, revision, ..answer })
        }
        Reply::State(state) => {
            let (shown, forgotten) = reveal(state.state)?;
            Reply::State(StateAsOf { state: shown, forgotten, ..state })
        }
        reply => reply,
    })
}

fn warn(failed: &Failed) {
    let Failed { event, error } = failed;
    tracing::warn!(%event, kind = ?error.kind(), %error, "a delivery was not handled");
}

/// The span of one invocation, which names what it belongs to.
fn span(function: &str, trigger: &Trigger) -> Span {
    let span = tracing::info_span!(
        "invoke",
        function,
        trigger = trigger.name(),
        stream = field::Empty,
        command = field::Empty,
        correlation = field::Empty,
        causation = field::Empty,
        traceparent = field::Empty,
    );
    match trigger {
        Trigger::Command(request) => {
            span.record("stream", field::display(&request.stream));
            span.record("command", field::display(&request.id));
            record(&span, &request.metadata);
        }
        Trigger::Queued(queued) => {
            span.record("stream", field::display(&queued.request.stream));
            span.record("command", field::display(&queued.request.id));
            record(&span, &queued.request.metadata);
        }
        Trigger::Events(announced) => {
            if let Some(Announced::Event(event)) = announced.first() {
                span.record("stream", field::display(&event.stream));
                span.record("command", field::display(&event.command));
                record(&span, &event.metadata);
            }
        }
        _ => {}
    }
    span
}

fn record(span: &Span, metadata: &Metadata) {
    let Metadata { correlation, causation, traceparent } = metadata;
    for (name, value) in
        [("correlation", correlation), ("causation", causation), ("traceparent", traceparent)]
    {
        if let Some(value) = value {
            span.record(name, value);
        }
    }
}
