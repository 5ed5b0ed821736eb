//! What Microsoft's own clients make of what the adapter writes, and what it writes in comparison
//! with them.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use azure_core::credentials::Secret;
use conformance::domain::{Account, Balances, Command};
use conformance::{AsyncCase, Host as _};
use emulators::Witness;
use serde_json::{Value, json};
use skyfold::ports::{Consistency, Range, Snapshot};
use skyfold::{App, CloudEvent, Payload, Runtime, StoredState, Version};
use skyfold_azure::{Access, Azure, Clients};
use tokio::net::TcpListener;

use crate::common::{Place, client, cosmos, names, trials};

/// All commits of a stream, oldest first, and how many it may have here.
const ALL: Range = Range::After(Version(0));
const PAGE: usize = 10;

/// The key of the topic.
const KEY: &str = "c2VjcmV0";

/// Gives the account 1 a command a second and some milliseconds after the one before: with those,
/// there is one way to write a time.
async fn give(place: &Place, runtime: &Runtime, command: &Command) {
    place.pass(Duration::from_millis(1_123)).await.unwrap();
    place.give(runtime, command).await;
}

/// What Microsoft's client of Cosmos DB finds in `container`, whose partition key is `field`.
async fn found(place: &Place, field: &'static str, container: String) -> Value {
    let database = place.database().to_owned();
    let asked = move || {
        let witness = Witness::find().unwrap();
        let arguments = [&cosmos().url(), &*database, field, &container];
        witness.ask("read.js", &arguments.map(|argument| argument as &str), &Value::Null)
    };
    tokio::task::spawn_blocking(asked).await.unwrap().unwrap()
}

/// The content that is kept as text.
fn content(item: &Value) -> Value {
    serde_json::from_str(item["b"].as_str().unwrap()).unwrap()
}

async fn microsofts_client_reads_events_documents_snapshot_and_change_feed() {
    let place = Place::open().await.unwrap();
    let app = App::new("bank").decider::<Account>().projection::<Balances>();
    let runtime = app.bind(place.ports()).unwrap();
    give(&place, &runtime, &Command::Deposit { cents: 7 }).await;
    give(&place, &runtime, &Command::Note { text: "ö😀".into(), times: 2 }).await;
    place.settle(&runtime).await.unwrap();
    let stream = "account-1".parse().unwrap();
    let state = Payload::encode(&"state").unwrap();
    let state = StoredState::new(&stream, Version(3), 1, state);
    let snapshot = Snapshot { version: Version(3), state: state.clone() };
    place.ports().events.save_snapshot(&stream, &snapshot).await.unwrap();

    let events = found(&place, "s", names("", "").events).await;
    let (first, second) = ("00000000000000000001", "00000000000000000002");
    assert_eq!(
        events["changes"],
        json!([format!("account-1@{first}"), format!("account-1@{second}")])
    );
    let items = events["items"].as_array().unwrap();
    let places: Vec<_> = items.iter().map(|item| [&item["s"], &item["id"]]).collect();
    assert_eq!(json!(places), json!([["account-1", first], ["account-1", second]]));
    let ports = place.ports();
    let slice = ports.events.read(&stream, ALL, PAGE, Consistency::Strong).await.unwrap();
    let commits: Vec<_> = slice.commits.iter().map(|read| json!(read.commit)).collect();
    assert_eq!(items.iter().map(content).collect::<Vec<_>>(), commits);

    let documents = found(&place, "p", names("", "").documents).await;
    let items = documents["items"].as_array().unwrap();
    let of = |partition: &str| {
        let is_there = |item: &&Value| item["p"].as_str().unwrap().starts_with(partition);
        items.iter().find(is_there).unwrap_or_else(|| panic!("{partition}: {items:?}"))
    };
    let kept = of("@account-1");
    assert_eq!((&kept["id"], &kept["n"]), (&json!("snapshot"), &json!("00000000000000000003")));
    assert_eq!(content(kept), json!(state));
    let view = of("balances");
    assert!(content(view).to_string().contains('7'), "{view}");
}

/// A request as it arrived at a topic.
#[derive(Clone, Debug, PartialEq)]
struct Posted {
    method: Method,
    uri: Uri,
    content_type: String,
    key: String,
    body: Value,
}

type Recorded = Arc<Mutex<Vec<Posted>>>;

async fn record(
    State(recorded): State<Recorded>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (content_type, key) = (header("content-type"), header("aeg-sas-key"));
    let body = serde_json::from_str(&body).unwrap();
    recorded.lock().unwrap().push(Posted { method, uri, content_type, key, body });
}

async fn a_publication_is_what_microsofts_client_sends() {
    let recorded = Recorded::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(record).with_state(recorded.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let place = Place::open().await.unwrap();
    let runtime = App::new("bank").decider::<Account>().bind(place.ports()).unwrap();
    give(&place, &runtime, &Command::Note { text: "ö😀".into(), times: 2 }).await;
    let stream = "account-1".parse().unwrap();
    let slice = place.ports().events.read(&stream, ALL, PAGE, Consistency::Strong).await.unwrap();
    let events = slice.commits.iter().flat_map(|commit| commit.events());
    let events: Vec<CloudEvent> = events.map(|event| CloudEvent::new("bank", &event)).collect();
    let cosmos = client().await;
    let clients = Clients {
        keys: cosmos.clone(),
        cosmos,
        http: Clients::http().unwrap(),
        topic: Access::Key(Secret::from(KEY)),
        queue: Access::Signed,
    };
    let azure = Azure::open(clients, names(place.database(), &url)).await.unwrap();
    for outcome in azure.ports().publisher.publish(&events).await {
        outcome.unwrap();
    }

    let input = json!(events);
    let topic = names("", &url).topic;
    let asked = move || Witness::find().unwrap().ask("publish.js", &[&topic, KEY], &input);
    let read = tokio::task::spawn_blocking(asked).await.unwrap().unwrap();
    assert_eq!(read.as_array().unwrap().len(), events.len());
    let posted = recorded.lock().unwrap().clone();
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0], posted[1]);
}

fn main() -> ExitCode {
    let cases: [AsyncCase; 2] = [
        ("microsofts_client_reads_events_documents_snapshot_and_change_feed", || {
            Box::pin(microsofts_client_reads_events_documents_snapshot_and_change_feed())
        }),
        ("a_publication_is_what_microsofts_client_sends", || {
            Box::pin(a_publication_is_what_microsofts_client_sends())
        }),
    ];
    trials::run_with(&cases, Witness::find().err())
}
