//! Deliveries for adapters whose bus and queue are doubles of their tests: in no order, more than
//! once, and until nothing is left to do.

mod doorbell;
mod post;

use std::sync::Arc;

use skyfold::ports::QueuedCommand;
use skyfold::{
    Announced, CloudEvent, Error, ErrorKind, Failed, Manifest, Ports, Reply, Result, Runtime,
    Trigger,
};

use self::doorbell::Doorbell;
use self::post::Delivery;
pub use self::post::Post;

/// How many messages a function is given at once.
const BATCH: usize = 10;

/// How often a message is received before it is dead-lettered.
const RECEIVES_MAX: usize = 32;

/// How many rounds may pass before something must be wrong.
const ROUNDS_MAX: usize = 10_000;

/// What brings an app's commits to its relay, and what was announced and sent to its functions.
#[derive(Clone, Debug)]
pub struct Deliveries<M> {
    doorbell: Arc<Doorbell>,
    post: Post<M>,
}

impl<M: Clone> Deliveries<M> {
    /// Those of an app on `ports`, whose bus and queue put what they accept into `post`; and the
    /// ports that the app is to be bound to.
    pub fn on(ports: Ports, post: Post<M>) -> (Self, Ports) {
        let doorbell = Arc::new(Doorbell::new(ports.events.clone()));
        let ports = Ports { events: doorbell.clone(), ..ports };
        (Self { doorbell, post }, ports)
    }

    /// Relays and delivers until nothing is left to do now. `open` tells the command that a message
    /// of the queue holds; if it fails, the message comes again.
    ///
    /// # Errors
    ///
    /// Those of the store and of the relay that do not pass; [`Unexpected`](ErrorKind::Unexpected)
    /// if it goes on for ever.
    pub async fn settle<F>(&self, runtime: &Runtime, open: impl Fn(M) -> F) -> Result<()>
    where
        F: Future<Output = Result<QueuedCommand>>,
    {
        let manifest = runtime.manifest();
        for _ in 0..ROUNDS_MAX {
            let relayed = relay(&self.doorbell, runtime).await?;
            let delivered = self.deliver(runtime, &manifest, &open).await;
            if !relayed && !delivered {
                return Ok(());
            }
        }
        let message = format!("nothing came to rest in {ROUNDS_MAX} rounds");
        Err(Error::new(ErrorKind::Unexpected, message))
    }

    /// Delivers once whatever can be delivered now. Says whether there was anything.
    async fn deliver<F>(
        &self,
        runtime: &Runtime,
        manifest: &Manifest,
        open: impl Fn(M) -> F,
    ) -> bool
    where
        F: Future<Output = Result<QueuedCommand>>,
    {
        let mut delivered = false;
        for event in self.post.announced() {
            let category = event.id.stream.category().to_owned();
            for function in manifest.functions.iter().filter(|f| f.hears.contains(&category)) {
                self.post.enqueue(&function.name, event.clone());
            }
        }
        for (function, mut batch) in self.post.receive(BATCH) {
            delivered = true;
            let failed = hear(runtime, &function, &batch).await;
            batch.retain(|delivery| failed.contains(&delivery.event));
            for Delivery { event, receives } in batch {
                match receives < RECEIVES_MAX {
                    true => {
                        self.post.put_back(&function, Delivery { event, receives: receives + 1 });
                    }
                    false => self.post.set_aside(&function, event),
                }
            }
        }
        for message in self.post.due() {
            delivered = true;
            let Ok(command) = open(message.clone()).await else {
                self.post.hold(message);
                continue;
            };
            match runtime.invoke(&command.category.clone(), Trigger::Queued(command)).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Duplicate => {}
                Err(_) => self.post.hold(message),
            }
        }
        delivered
    }
}

/// Relays some of what was not relayed yet. Says whether there was anything.
async fn relay(doorbell: &Doorbell, runtime: &Runtime) -> Result<bool> {
    let commits = doorbell.answer().await?;
    if commits.is_empty() {
        return Ok(false);
    }
    match runtime.invoke("relay", Trigger::Commits(commits.clone())).await {
        Ok(Reply::Handled(failed)) if failed.is_empty() => doorbell.relayed(&commits),
        // It is brought again.
        Ok(Reply::Handled(_)) => {}
        Ok(reply) => panic!("the relay answers {reply:?}"),
        Err(error) if error.is_transient() => {}
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Gives `batch` to `function`. Returns what it could not handle.
async fn hear(runtime: &Runtime, function: &str, batch: &[Delivery]) -> Vec<CloudEvent> {
    let events = batch.iter().map(|delivery| delivery.event.clone());
    let announced = events.clone().map(|event| event.into_announced().expect("it was announced"));
    let announced: Vec<Announced> = announced.collect();
    match runtime.invoke(function, Trigger::Events(announced)).await {
        Ok(Reply::Handled(failed)) => {
            let has_failed =
                |event: &CloudEvent| failed.iter().any(|Failed { event: id, .. }| *id == event.id);
            events.filter(has_failed).collect()
        }
        Ok(reply) => panic!("{function} answers {reply:?}"),
        Err(_) => events.collect(),
    }
}
