use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::Host as _;
use conformance::domain::{Account, Command};
use googleapis_tonic_google_firestore_v1::google::firestore::v1::{
    BatchWriteResponse, WriteResult,
};
use googleapis_tonic_google_firestore_v1::google::rpc;
use skyfold::ports::{Consistency, DocumentKey, Guard, QueuedCommand, Range, Revision, Write};
use skyfold::{
    App, CloudEvent, CommandId, CommandRequest, Error, ErrorKind, Metadata, Payload, Ports,
    RecordedEvent, Reply, Result, StreamName, Trigger, Version,
};
use skyfold_gcp::{Clients, Gcp, Wire};
use time::OffsetDateTime;
use tonic::{Code, Status};

use crate::common::frames::{answer, refusal};
use crate::common::{Place, names};
use crate::script::{Script, Turn};

/// How soon an error is to be told, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

fn stream() -> StreamName {
    "account-1".parse().unwrap()
}

async fn read(ports: &Ports) -> Error {
    let read = ports.events.read(&stream(), Range::NEWEST, 1, Consistency::Strong).await;
    read.unwrap_err()
}

fn ports_over(wire: Wire) -> Ports {
    let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
    Gcp::new(clients, names("p")).ports()
}

/// Ports over `script`.
async fn scripted(script: &Script) -> Ports {
    let weather = Arc::new(script.clone());
    Place::open_with(|line| line.in_weather(weather)).await.unwrap().ports()
}

fn refused(code: Code, message: &str) -> Turn {
    Turn::Before(Ok(refusal(Status::new(code, message))))
}

fn write(id: &str, guard: Guard) -> Write {
    let key = DocumentKey { collection: "c".into(), id: id.into() };
    Write { key, body: Some(Payload::default()), listings: vec![], guard, expires: None }
}

fn kinds<T>(outcomes: &[Result<T>]) -> Vec<Option<ErrorKind>> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map(Error::kind)).collect()
}

pub(crate) async fn a_service_that_nobody_reaches_is_unavailable_within_seconds() {
    let start = Instant::now();
    let error = read(&ports_over(Wire::to("http://127.0.0.1:9").unwrap())).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(start.elapsed() < SOON);
    let error = Wire::to("no URL").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
}

pub(crate) async fn a_service_that_does_not_answer_is_unavailable_within_seconds() {
    let start = Instant::now();
    let never = tower::service_fn(|_| std::future::pending::<Result<_, Error>>());
    let ports = ports_over(Wire::new(never));
    let error = read(&ports).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("no answer in 5 s"), "{error}");
    assert!(start.elapsed() < SOON);
}

pub(crate) async fn what_is_refused_has_the_kind_that_says_what_to_do() {
    for (turn, kind) in [
        (refused(Code::ResourceExhausted, "quota"), ErrorKind::Throttled),
        (refused(Code::PermissionDenied, ""), ErrorKind::Denied),
        (refused(Code::Unavailable, ""), ErrorKind::Unavailable),
        (refused(Code::Internal, ""), ErrorKind::Unavailable),
        (refused(Code::NotFound, "The database does not exist"), ErrorKind::NotFound),
        (Turn::Before(Err("reset by peer".into())), ErrorKind::Unavailable),
        (Turn::After(Err("reset by peer".into())), ErrorKind::Unavailable),
    ] {
        let error = read(&scripted(&Script::new("RunQuery", [turn])).await).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.retry_after().is_some(), kind == ErrorKind::Throttled, "{error}");
        assert!(error.to_string().contains("the database projects/"), "{error}");
    }
}

pub(crate) async fn a_missing_index_is_named_with_what_to_do() {
    let message = "The query requires a COLLECTION_GROUP_ASC index for collection commits";
    let script = Script::new("RunQuery", [refused(Code::FailedPrecondition, message)]);
    let ports = scripted(&script).await;
    let error = ports.feed.read(0, &Default::default(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(error.to_string().contains("`indexes`"), "{error}");
}

pub(crate) async fn a_command_whose_appends_answer_was_lost_takes_effect_once() {
    let lost = || Turn::After(Err("the answer was lost".into()));
    let ports = scripted(&Script::new("Commit", [lost(), lost()])).await;
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

pub(crate) async fn of_a_batch_of_documents_only_what_was_refused_has_failed() {
    let status = |code: Code| rpc::Status { code: code.into(), ..Default::default() };
    let codes = [Code::Ok, Code::Aborted, Code::Aborted, Code::ResourceExhausted, Code::Internal];
    let time = Some(prost_types::Timestamp { seconds: 7, nanos: 9_000 });
    let said = BatchWriteResponse {
        status: codes.map(status).into(),
        write_results: vec![WriteResult { update_time: time, ..Default::default() }; 5],
    };
    let turns = [Turn::Before(Ok(answer(&said))), refused(Code::Unavailable, "")];
    let ports = scripted(&Script::new("BatchWrite", turns)).await;
    let guards = [Guard::None, Guard::Absent, Guard::None, Guard::None, Guard::None, Guard::None];
    let batch: Vec<_> =
        "abcdef".chars().zip(guards).map(|(id, guard)| write(&id.to_string(), guard)).collect();
    let outcomes = ports.documents.write(&batch).await;
    let (conflict, throttled) = (Some(ErrorKind::Conflict), Some(ErrorKind::Throttled));
    let unavailable = Some(ErrorKind::Unavailable);
    // What nothing had to hold for meets too many writers, not another one's success; and the last
    // one is not mentioned at all.
    let expected = [None, conflict, throttled, throttled, unavailable, unavailable];
    assert_eq!(kinds(&outcomes), expected);
    assert_eq!(outcomes[0].as_ref().unwrap().0, "7.000009000");
    assert_eq!(kinds(&ports.documents.write(&batch).await), [unavailable; 6]);
    assert!(ports.documents.write(&batch).await.iter().all(Result::is_ok), "then there is calm");
}

pub(crate) async fn a_guard_on_what_is_gone_conflicts_and_a_missing_database_does_not() {
    let message = "The database (default) does not exist for project p";
    let ports = scripted(&Script::new("BatchWrite", [refused(Code::NotFound, message)])).await;
    let guard = || Guard::At(Revision("7.000000000".into()));
    for kind in [ErrorKind::NotFound, ErrorKind::Conflict] {
        let outcomes = ports.documents.write(&[write("a", guard())]).await;
        assert_eq!(kinds(&outcomes), [Some(kind)]);
    }
}

/// As many commands as `count`, each to run at once.
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

pub(crate) async fn of_a_batch_of_commands_only_what_was_refused_has_failed() {
    let turns = [refused(Code::ResourceExhausted, "quota"), refused(Code::NotFound, "no queue")];
    let ports = scripted(&Script::new("CreateTask", turns)).await;
    let outcomes = ports.queue.send(&queued(25)).await;
    let mut failed: Vec<_> = kinds(&outcomes).into_iter().flatten().collect();
    failed.sort_by_key(|kind| kind.code());
    assert_eq!(failed, [ErrorKind::NotFound, ErrorKind::Throttled]);
    assert!(ports.queue.send(&queued(25)).await.iter().all(Result::is_ok), "then there is calm");
    let refused = kinds(&ports.queue.send(&queued(101)).await);
    assert_eq!(refused, vec![Some(ErrorKind::Oversized); 101]);
}

/// The announcements of `count` events of `stream`.
pub(crate) fn announcements(stream: &str, count: u64) -> Vec<CloudEvent> {
    let event = |version| RecordedEvent {
        stream: stream.parse().unwrap(),
        version: Version(version),
        event_type: "Noted".into(),
        schema: 1,
        time: OffsetDateTime::UNIX_EPOCH,
        command: CommandId::new("c").unwrap(),
        metadata: Metadata::default(),
        data: Payload::default(),
    };
    (1..=count).map(|version| CloudEvent::new("bank", &event(version))).collect()
}

pub(crate) async fn what_follows_a_failed_announcement_of_its_stream_does_not_overtake_it() {
    let script = Script::new("Publish", [refused(Code::Unavailable, "")]);
    let ports = scripted(&script).await;
    // More than a request takes.
    let batch = announcements("account-1", 2_001);
    let outcomes = kinds(&ports.publisher.publish(&batch).await);
    assert_eq!(outcomes, vec![Some(ErrorKind::Unavailable); 2_001]);
    assert_eq!(script.count(), 1, "the others were not sent");
    assert!(ports.publisher.publish(&batch).await.iter().all(Result::is_ok));
    assert_eq!(script.count(), 4);
}
