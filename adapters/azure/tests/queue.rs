//! The queue on Microsoft's emulator of Queue Storage, by the clock of the wall.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use azure_core::credentials::Secret;
use conformance::AsyncCase;
use emulators::{Azurite, Message};
use skyfold::ports::QueuedCommand;
use skyfold::{CommandId, CommandRequest, Payload, StreamId};
use skyfold_azure::{Access, Azure, Clients};
use time::OffsetDateTime;

use crate::common::{Place, client, names, trials};

/// How long anything may take to become visible, on a busy machine.
const VISIBLE_MAX: Duration = Duration::from_secs(30);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// How many seconds a message is hidden that was received and not deleted.
const HIDDEN_SECONDS: u32 = 1;

/// How many seconds a command is held back.
const HELD_SECONDS: i64 = 3;

fn azurite() -> &'static Azurite {
    common::azurite().unwrap()
}

/// The adapter on a queue `name` of its own.
async fn on_queue(name: &str) -> Azure {
    let place = Place::open().await.unwrap();
    azurite().create_queue(name).unwrap();
    let cosmos = client().await;
    let clients = Clients {
        keys: cosmos.clone(),
        cosmos,
        http: Clients::http().unwrap(),
        topic: Access::Key(Secret::from("secret")),
        queue: Access::Signed,
    };
    let mut names = names(place.database(), "http://127.0.0.1:1");
    names.queue = azurite().queue(name);
    Azure::open(clients, names).await.unwrap()
}

/// A command whose text has `bytes` bytes.
fn command(bytes: usize, due: Option<OffsetDateTime>) -> QueuedCommand {
    let request = CommandRequest {
        stream: StreamId::new("1").unwrap(),
        id: CommandId::fresh(OffsetDateTime::now_utc()),
        command: Payload::encode(&"x".repeat(bytes)).unwrap(),
        expected: None,
        metadata: Default::default(),
    };
    QueuedCommand { category: "account".into(), request, due, timer: None }
}

async fn send(azure: &Azure, command: &QueuedCommand) {
    let sent = azure.ports().queue.send(std::slice::from_ref(command)).await;
    sent.into_iter().next().unwrap().unwrap();
}

/// The next messages of the queue `name`.
fn received(name: &str) -> Vec<Message> {
    let start = Instant::now();
    loop {
        let messages = azurite().messages(name, HIDDEN_SECONDS).unwrap();
        if !messages.is_empty() {
            return messages;
        }
        assert!(start.elapsed() < VISIBLE_MAX, "{name} stays empty");
        std::thread::sleep(PAUSE);
    }
}

async fn commands_of_every_size_arrive_whole() {
    let azure = on_queue("sizes").await;
    for bytes in [10, 40 * 1024, 48 * 1024, 50 * 1024, 256 * 1024 - 2] {
        let command = command(bytes, None);
        send(&azure, &command).await;
        let mut found = vec![];
        while !found.contains(&command) {
            for Message { text, .. } in received("sizes") {
                assert!(text.len() <= 64 * 1024, "{}", text.len());
                found.extend(azure.queued_command(&text).await.unwrap());
            }
        }
    }
}

async fn a_command_is_held_back_until_it_is_due() {
    let azure = on_queue("delays").await;
    let (start, now) = (Instant::now(), azure.ports().clock.now());
    let command = command(10, Some(now + time::Duration::seconds(HELD_SECONDS)));
    send(&azure, &command).await;
    let message = received("delays").remove(0);
    assert_eq!(azure.queued_command(&message.text).await.unwrap(), Some(command));
    // The service counts whole seconds.
    assert!(start.elapsed() > Duration::from_secs(HELD_SECONDS as u64 - 1), "{start:?}");
}

async fn what_nobody_deletes_comes_again_and_counts_how_often() {
    let azure = on_queue("poison").await;
    send(&azure, &command(10, None)).await;
    let first = received("poison").remove(0);
    let again = received("poison").remove(0);
    assert_eq!((&first.text, first.dequeues, again.dequeues), (&again.text, 1, 2));
}

fn main() -> ExitCode {
    let cases: [AsyncCase; 3] = [
        ("commands_of_every_size_arrive_whole", || Box::pin(commands_of_every_size_arrive_whole())),
        ("a_command_is_held_back_until_it_is_due", || {
            Box::pin(a_command_is_held_back_until_it_is_due())
        }),
        ("what_nobody_deletes_comes_again_and_counts_how_often", || {
            Box::pin(what_nobody_deletes_comes_again_and_counts_how_often())
        }),
    ];
    trials::run_with(&cases, Azurite::find().err())
}
