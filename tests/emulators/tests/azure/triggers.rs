use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulators::Message;
use serde_json::{Value, json};
use skyfold::Manifest;

use crate::host::{Function, FunctionApp, named};
use crate::installation::{Apps, EVENTS, QUEUE};
use crate::services::Services;

/// How long to wait before something is looked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// How many partitions the emulator has.
const PARTITIONS: u32 = 4;

/// How many seconds a message is hidden that was taken. The package says 30, which no test waits.
const HIDDEN_SECONDS: u32 = 2;

/// How often a message is taken before it is set aside: fewer times than the package says, for the
/// same reason.
const DEQUEUES_MAX: u32 = 3;

/// What the name of a queue ends in that what came too often is put into. Beside such a one the
/// host has no other (`QueueListenerFactory.CreatePoisonQueueReference` of its source).
const SET_ASIDE: &str = "-poison";

/// What was seen in a queue, by its name, after it had been brought for the last time.
pub(crate) static LEFT: Mutex<Vec<(String, String)>> = Mutex::new(vec![]);

/// How long an event is delivered again: longer than a program that was killed takes to start.
const DELIVERED_WITHIN: Duration = Duration::from_secs(120);

/// The function that `binding` of its trigger says, if the package has one in `app`.
fn triggered<'a>(app: &'a FunctionApp, kind: &str) -> impl Iterator<Item = &'a Function> {
    app.functions.iter().filter(move |function| function.kind() == kind)
}

/// Brings the change feed of the events to the relay: each page until it is done with.
pub(crate) async fn bring_changes(apps: Arc<Apps>, database: String) {
    let app = &apps["relay"];
    let relay = triggered(app, "cosmosDBTrigger").next().unwrap();
    assert_eq!(relay.trigger["containerName"], "%SKYFOLD_EVENTS%");
    let mut positions = [const { None::<String> }; PARTITIONS as usize];
    loop {
        for (partition, position) in (0..).zip(&mut positions) {
            let (database, from) = (database.clone(), position.clone());
            let asked = tokio::task::spawn_blocking(move || {
                crate::emulator::cosmos().changes(&database, EVENTS, partition, from.as_deref())
            });
            let (documents, next) = asked.await.unwrap().unwrap();
            if !documents.is_empty() {
                // Encoded once by the trigger, and once more by the host.
                let brought = json!(json!(documents).to_string()).to_string();
                while !app.fire(relay, &json!(brought), json!({})).await {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            *position = next;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Delivers what was announced to everybody who hears of it.
pub(crate) async fn deliver(apps: Arc<Apps>, services: Arc<Services>, manifest: Manifest) {
    loop {
        let events = std::mem::take(&mut *services.events.lock().unwrap());
        for event in events {
            let subject = event["subject"].as_str().unwrap();
            let hears = |categories: &[String]| {
                categories.iter().any(|category| subject.starts_with(&format!("{category}-")))
            };
            for function in manifest.functions.iter().filter(|function| hears(&function.hears)) {
                deliver_to(&apps["consumers"], &named(&function.name), &event).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn deliver_to(app: &FunctionApp, name: &str, event: &Value) {
    let mut functions = triggered(app, "eventGridTrigger");
    let function = functions.find(|function| function.name == name).unwrap();
    let start = Instant::now();
    while !app.fire(function, event, json!({ "data": event["data"] })).await {
        assert!(start.elapsed() < DELIVERED_WITHIN, "{name} could not be given {event}");
        tokio::time::sleep(PAUSE * 10).await;
    }
}

/// Brings the messages of the queue of commands, and what came too often by the queue beside it.
pub(crate) async fn bring_commands(apps: Arc<Apps>) {
    let app = &apps["commands"];
    loop {
        for function in triggered(app, "queueTrigger") {
            let queue = function.trigger["queueName"].as_str().unwrap();
            let queue = queue.replace("%SKYFOLD_QUEUE%", QUEUE);
            for message in received(&queue).await {
                bring(app, function, &queue, &message).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Brings `message`, as `QueueProcessor` of the host's source does: what has failed for the last
/// time goes to the queue beside, if there is one, or else stays, and is brought no more.
async fn bring(app: &FunctionApp, function: &Function, queue: &str, message: &Message) {
    if message.dequeues > DEQUEUES_MAX {
        LEFT.lock().unwrap().push((queue.to_owned(), message.text.clone()));
        return;
    }
    let text = String::from_utf8(STANDARD.decode(&message.text).unwrap()).unwrap();
    let about = json!({ "DequeueCount": message.dequeues.to_string(), "Id": message.id });
    let is_done = app.fire(function, &json!(json!(text).to_string()), about).await;
    let (queue, message) = (queue.to_owned(), message.clone());
    let settling = move || {
        let azurite = crate::installation::azurite();
        if !is_done {
            if message.dequeues < DEQUEUES_MAX || queue.ends_with(SET_ASIDE) {
                return;
            }
            azurite.put(&format!("{queue}{SET_ASIDE}"), &message.text).unwrap();
        }
        azurite.delete(&queue, &message.id, &message.receipt).unwrap();
    };
    tokio::task::spawn_blocking(settling).await.unwrap();
}

/// The messages of `queue` that are visible.
async fn received(queue: &str) -> Vec<Message> {
    let queue = queue.to_owned();
    let asking = move || crate::installation::azurite().messages(&queue, HIDDEN_SECONDS).unwrap();
    tokio::task::spawn_blocking(asking).await.unwrap()
}
