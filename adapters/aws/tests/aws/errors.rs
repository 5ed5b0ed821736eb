use std::sync::Arc;

use aws_sdk_dynamodb::error::ConnectorError;
use conformance::Host as _;
use conformance::domain::{Account, Command};
use serde_json::json;
use skyfold::ports::{Consistency, DocumentKey, Guard, QueuedCommand, Range, Write};
use skyfold::{
    App, CommandId, CommandRequest, Error, ErrorKind, ForgetRequest, Payload, Ports, Reply,
    StreamName, Trigger,
};
use skyfold_aws::Feed;

use crate::common::{Place, refusal, response};
use crate::script::{Script, Turn};

pub(crate) fn stream() -> StreamName {
    "account-1".parse().unwrap()
}

pub(crate) async fn read(ports: &Ports) -> Error {
    let read = ports.events.read(&stream(), Range::NEWEST, 1, Consistency::Strong).await;
    read.unwrap_err()
}

pub(crate) fn keys(count: usize) -> Vec<DocumentKey> {
    let key = |n: usize| DocumentKey { collection: "c".into(), id: n.to_string() };
    (0..count).map(key).collect()
}

/// Ports over `script`.
async fn scripted(script: Script) -> Ports {
    let place = Place::open_with(Feed::Index, |wire| wire.in_weather(Arc::new(script))).await;
    place.unwrap().ports()
}

#[tokio::test]
async fn what_is_refused_has_the_kind_that_says_what_to_do() {
    let broken = || Turn::Before(Err(ConnectorError::io("reset by peer".into())));
    let said = |code: &str| Turn::Before(Ok(refusal(code, "")));
    for (turn, kind) in [
        (said("ProvisionedThroughputExceededException"), ErrorKind::Throttled),
        (said("ThrottlingException"), ErrorKind::Throttled),
        (said("AccessDeniedException"), ErrorKind::Denied),
        (said("InternalServerError"), ErrorKind::Unavailable),
        (said("TransactionConflictException"), ErrorKind::Unavailable),
        (said("SomethingNew"), ErrorKind::Unexpected),
        (Turn::Before(Ok(response(429, "slow down".into()))), ErrorKind::Throttled),
        (Turn::Before(Ok(response(503, "<html>".into()))), ErrorKind::Unavailable),
        (broken(), ErrorKind::Unavailable),
    ] {
        let told = format!("{turn:?}");
        let error = read(&scripted(Script::new("Query", [turn])).await).await;
        assert_eq!(error.kind(), kind, "{told}: {error}");
        let waits = error.retry_after().is_some();
        assert!(waits || kind != ErrorKind::Throttled || told.contains("429"), "{told}");
    }
}

#[tokio::test]
async fn a_write_whose_item_another_request_holds_is_no_conflict() {
    let held = || Turn::Before(Ok(refusal("TransactionConflictException", "")));
    let ports = scripted(Script::new("PutItem", [held(), held(), held()])).await;
    let guards = [Guard::None, Guard::Absent];
    let write = |guard| Write {
        key: keys(1).remove(0),
        body: Some(Payload::default()),
        listings: vec![],
        guard,
        expires: None,
    };
    for guard in guards.clone() {
        let error = ports.documents.write(&[write(guard)]).await.remove(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("another request holds the item"), "{error}");
    }
    // Core makes the call again, as that of a conflict it would not.
    let runtime = App::new("bank").bind(ports).unwrap();
    let (subject, by, reason) = ("ada".parse().unwrap(), "office".into(), "asked".into());
    runtime.privacy().forget(&ForgetRequest { subject, by, reason }).await.unwrap();
}

#[tokio::test]
async fn keys_that_are_never_processed_are_throttled_and_some_are_asked_for_again() {
    let left = |count: usize| {
        let keys: Vec<_> = (0..count)
            .map(|n| json!({ "PK": { "S": "c#0" }, "SK": { "S": n.to_string() } }))
            .collect();
        let body = json!({ "Responses": {}, "UnprocessedKeys": { "order-documents": {
            "Keys": keys, "ConsistentRead": true,
        } } });
        Turn::Before(Ok(response(200, body.to_string())))
    };
    let ports = scripted(Script::new("BatchGetItem", [left(3)])).await;
    let error = ports.documents.get(&keys(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
    let ports = scripted(Script::new("BatchGetItem", [left(2), left(1)])).await;
    assert_eq!(ports.documents.get(&keys(3)).await.unwrap(), [None, None, None]);
}

#[tokio::test]
async fn a_command_whose_appends_answer_was_lost_takes_effect_once() {
    let lost = || Turn::After(Err(ConnectorError::timeout("no answer".into())));
    let ports = scripted(Script::new("PutItem", [lost(), lost()])).await;
    let runtime = App::new("bank").decider::<Account>().bind(ports.clone()).unwrap();
    let request = CommandRequest {
        stream: stream().id(),
        id: CommandId::fresh(runtime.now()),
        command: Payload::encode(&Command::Deposit { cents: 7 }).unwrap(),
        expected: None,
        metadata: Default::default(),
    };
    let reply = runtime.invoke("account", Trigger::Command(request)).await.unwrap();
    assert!(matches!(&reply, Reply::Accepted(receipt) if receipt.version.0 == 1), "{reply:?}");
    let all = ports.events.read(&stream(), Range::NEWEST, 9, Consistency::Strong).await.unwrap();
    assert_eq!(all.commits.len(), 1);
}

pub(crate) fn queued(count: usize) -> Vec<QueuedCommand> {
    let command = |n: usize| QueuedCommand {
        category: "account".into(),
        request: CommandRequest {
            stream: stream().id(),
            id: CommandId::new(n.to_string()).unwrap(),
            command: Payload::default(),
            expected: None,
            metadata: Default::default(),
        },
        due: None,
        timer: None,
    };
    (0..count).map(command).collect()
}

#[tokio::test]
async fn of_a_batch_of_commands_only_what_was_refused_has_failed() {
    let body = json!({
        "Successful": [{ "Id": "0", "MessageId": "1", "MD5OfMessageBody": "1" }],
        "Failed": [
            { "Id": "1", "Code": "InternalError", "SenderFault": false },
            { "Id": "2", "Code": "InvalidMessageContents", "SenderFault": true },
        ],
    });
    let turns = [
        Turn::Before(Ok(response(200, body.to_string()))),
        Turn::Before(Ok(refusal("ThrottlingException", ""))),
    ];
    let ports = scripted(Script::new("SendMessageBatch", turns)).await;
    let outcomes = ports.queue.send(&queued(4)).await;
    let kinds: Vec<_> = outcomes.iter().map(|o| o.as_ref().err().map(Error::kind)).collect();
    let (unavailable, invalid) = (Some(ErrorKind::Unavailable), Some(ErrorKind::Invalid));
    // The last one is not mentioned at all.
    assert_eq!(kinds, [None, unavailable, invalid, unavailable]);
    let outcomes = ports.queue.send(&queued(3)).await;
    let throttled = |outcome: &Result<(), Error>| {
        outcome.as_ref().is_err_and(|e| e.kind() == ErrorKind::Throttled)
    };
    assert!(outcomes.iter().all(throttled), "{outcomes:?}");
    assert!(ports.queue.send(&queued(25)).await.iter().all(Result::is_ok), "then there is calm");
}
