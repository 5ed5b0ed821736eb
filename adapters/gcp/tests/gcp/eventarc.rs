//! The trigger of Firestore, as its emulator brings it. It brings the bodies as base64, which the
//! service does not.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulators::GoogleEmulator;
use serde_json::json;
use skyfold::ports::{Consistency, DocumentKey, Guard, Range, Snapshot, Write};
use skyfold::{
    CommandId, Commit, Head, Metadata, NewEvent, Payload, Ports, RecordedCommit, StoredState,
    StreamName, Version,
};
use skyfold_gcp::eventarc::{CREATED, PATH, recorded};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::common::{answering, project, start};

/// How long an event may take to arrive.
const ARRIVES_MAX: Duration = Duration::from_secs(60);

/// What was posted: its type, and what it holds.
type Posted = (String, Vec<u8>);

async fn post(State(posted): State<UnboundedSender<Posted>>, headers: HeaderMap, body: Bytes) {
    let kind = headers["ce-type"].to_str().unwrap().to_owned();
    posted.send((kind, STANDARD.decode(body).unwrap())).unwrap();
}

/// Takes whatever is posted to a port of its own. Returns its address.
async fn listen() -> (String, UnboundedReceiver<Posted>) {
    let (sender, posted) = unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = axum::Router::new().fallback(post).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, posted)
}

/// Appends a commit of `count` events, and returns what it is found as.
async fn append(ports: &Ports, stream: &StreamName, count: usize) -> RecordedCommit {
    let newest = async || {
        let read = ports.events.read(stream, Range::NEWEST, 1, Consistency::Strong).await;
        read.unwrap().commits.pop()
    };
    let head = newest().await.map_or_else(|| Head::empty(stream.clone()), |c| c.head());
    let data = Payload::parse(r#"{"größe":1.10}"#).unwrap();
    let event = NewEvent { event_type: "Noted".into(), schema: 1, data };
    let (id, now) = (CommandId::new("c").unwrap(), OffsetDateTime::now_utc());
    let commit = Commit::new(id, 7, now, Metadata::default(), vec![event; count]).unwrap();
    ports.events.append(&head, &commit).await.unwrap();
    newest().await.unwrap()
}

pub(crate) async fn a_trigger_brings_each_new_commit_and_nothing_else() {
    let (address, mut posted) = listen().await;
    let arguments = [format!("--functions_emulator={address}")];
    let emulator = start(GoogleEmulator::Firestore, &arguments);
    let project = project();
    let ports = answering(&emulator.url(), &project).await;
    let path = format!("/emulator/v1/projects/{project}/eventarcTrigger?eventarcTriggerId=relay");
    // The service takes `*`, the emulator names.
    let pattern = PATH.replacen('*', "{stream}", 1).replacen('*', "{version}", 1);
    let trigger = json!({
        "eventType": CREATED,
        "database": "(default)",
        "namespace": "(default)",
        "document": { "value": pattern, "matchType": "PATH_PATTERN" },
    });
    emulator.post(&path, &trigger.to_string()).unwrap();

    let streams: [StreamName; 2] = ["order-42".parse().unwrap(), "stock-1".parse().unwrap()];
    let mut expected = vec![append(&ports, &streams[0], 1).await];
    let state = StoredState { format: 1, state: Payload::default(), checksum: 7 };
    let snapshot = Snapshot { version: Version(1), state };
    ports.events.save_snapshot(&streams[0], &snapshot).await.unwrap();
    let key = DocumentKey { collection: "views.1".into(), id: "1".into() };
    let (body, guard) = (Some(Payload::default()), Guard::None);
    let write = Write { key, body, listings: vec![], guard, expires: None };
    ports.documents.write(&[write]).await.remove(0).unwrap();
    expected.push(append(&ports, &streams[0], 3).await);
    expected.push(append(&ports, &streams[1], 2).await);

    let mut brought = vec![];
    while brought.len() < expected.len() {
        let next = tokio::time::timeout(ARRIVES_MAX, posted.recv()).await;
        let (kind, data) = next.expect("it arrives").unwrap();
        assert_eq!(kind, CREATED);
        brought.push(recorded(&data).unwrap().expect("it is a commit"));
    }
    brought.sort_by_key(|commit| (commit.stream.clone(), commit.first));
    assert_eq!(brought, expected);
    assert!(posted.try_recv().is_err(), "nothing else is brought");
}
