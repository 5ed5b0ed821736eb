use conformance::Host as _;
use serde::Serialize;
use skyfold::ports::{DocumentKey, Guard, QueuedCommand, Write};
use skyfold::{CommandId, CommandRequest, Payload, StreamId};
use time::OffsetDateTime;

use crate::common::Place;

/// A request for a command of `body`.
pub(crate) fn request(body: &impl Serialize) -> CommandRequest {
    CommandRequest {
        stream: StreamId::new("1").unwrap(),
        id: CommandId::fresh(OffsetDateTime::now_utc()),
        command: Payload::encode(body).unwrap(),
        expected: None,
        metadata: Default::default(),
    }
}

/// A command for the account 1 with a body of `body`.
pub(crate) fn command(body: &impl Serialize) -> QueuedCommand {
    QueuedCommand { category: "account".into(), request: request(body), due: None, timer: None }
}

/// A command of `bytes` bytes, which the queue of `place` has accepted.
async fn sent(place: &Place, bytes: usize) -> QueuedCommand {
    let command = command(&"x".repeat(bytes));
    let accepted = place.ports().queue.send(std::slice::from_ref(&command)).await;
    accepted.into_iter().next().unwrap().unwrap();
    command
}

pub(crate) async fn a_command_that_is_larger_than_a_message_arrives_whole() {
    let place = Place::open().await.unwrap();
    for bytes in [10, 48 * 1024, 50 * 1024, 256 * 1024 - 2] {
        let command = sent(&place, bytes).await;
        assert_eq!(place.queued().await, [command], "{bytes}");
    }
}

pub(crate) async fn a_command_is_kept_until_it_was_done() {
    let place = Place::open().await.unwrap();
    for (bytes, is_kept) in [(10, false), (50 * 1024, true)] {
        let command = sent(&place, bytes).await;
        let (message, azure) = (place.messages().remove(0), place.azure());
        for _ in 0..2 {
            assert_eq!(azure.queued_command(&message).await.unwrap().as_ref(), Some(&command));
        }
        for _ in 0..2 {
            azure.command_done(&message).await.unwrap();
            let opened = azure.queued_command(&message).await.unwrap();
            assert_eq!(opened, (!is_kept).then(|| command.clone()), "{bytes}");
        }
    }
}

pub(crate) async fn an_id_that_the_service_would_refuse_is_found_again() {
    let place = Place::open().await.unwrap();
    let documents = place.ports().documents;
    let key = |id: &str| DocumentKey { collection: "views".into(), id: id.into() };
    let long = "😀".repeat(176);
    let ids =
        [".", "a.", "a", "a/b\\c?d#e", " ", "größe", &format!("{long}a"), &format!("{long}b")];
    for id in ids {
        let write = Write {
            key: key(id),
            body: Some(Payload::encode(&id).unwrap()),
            listings: vec![],
            guard: Guard::Absent,
            expires: None,
        };
        documents.write(&[write]).await.into_iter().next().unwrap().unwrap();
    }
    let found = documents.get(&ids.map(key)).await.unwrap();
    for (id, found) in ids.into_iter().zip(found) {
        let found = found.unwrap();
        assert_eq!((found.id.as_str(), found.body.decode::<String>().unwrap().as_str()), (id, id));
    }
}
