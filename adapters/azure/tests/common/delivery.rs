//! Delivers what the bus and the queue hold, as subscriptions and a queue's reader do.

use skyfold::{Announced, CloudEvent, ErrorKind, Failed, Reply, Result, Runtime, Trigger};
use skyfold_azure::Azure;

use super::doorbell::Doorbell;
use super::services::{Delivery, Services};

/// How many messages a function is given at once.
const BATCH: usize = 10;

/// How often a message is received before it is dead-lettered.
const RECEIVES_MAX: usize = 32;

/// Relays some of what was not relayed yet. Says whether there was anything.
pub async fn relay(doorbell: &Doorbell, runtime: &Runtime) -> Result<bool> {
    let commits = doorbell.answer().await?;
    if commits.is_empty() {
        return Ok(false);
    }
    match runtime.invoke("relay", Trigger::Commits(commits.clone())).await {
        Ok(Reply::Handled(failed)) if failed.is_empty() => doorbell.relayed(&commits),
        // The sweep finds what a trigger does not bring again.
        Ok(Reply::Handled(_)) => {}
        Ok(reply) => panic!("the relay answers {reply:?}"),
        Err(error) if error.is_transient() => {}
        Err(error) => return Err(error),
    }
    Ok(true)
}

/// Delivers once whatever can be delivered now. Says whether there was anything.
pub async fn deliver(azure: &Azure, services: &Services, runtime: &Runtime) -> bool {
    let mut delivered = false;
    for event in services.announced() {
        let category = event.id.stream.category().to_owned();
        let manifest = runtime.manifest();
        for function in manifest.functions.iter().filter(|f| f.hears.contains(&category)) {
            services.enqueue(&function.name, event.clone());
        }
    }
    for (function, mut batch) in services.receive(BATCH) {
        delivered = true;
        let failed = hear(runtime, &function, &batch).await;
        batch.retain(|delivery| failed.contains(&delivery.event));
        for Delivery { event, receives } in batch {
            match receives < RECEIVES_MAX {
                true => services.put_back(&function, Delivery { event, receives: receives + 1 }),
                false => services.set_aside(&function, event),
            }
        }
    }
    for message in services.due() {
        delivered = true;
        let Ok(command) = azure.queued_command(&message).await else {
            services.run_again(message);
            continue;
        };
        let reply = runtime.invoke(&command.category.clone(), Trigger::Queued(command)).await;
        match reply {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Duplicate => {}
            Err(_) => services.run_again(message),
        }
    }
    delivered
}

/// Gives `batch` to `function`. Returns what it could not handle.
async fn hear(runtime: &Runtime, function: &str, batch: &[Delivery]) -> Vec<CloudEvent> {
    let events = batch.iter().map(|delivery| delivery.event.clone());
    let announced: Vec<Announced> = events.clone().map(|e| e.into_announced().unwrap()).collect();
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
