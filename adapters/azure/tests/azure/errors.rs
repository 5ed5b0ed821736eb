use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use azure_core::credentials::Secret;
use conformance::Host as _;
use conformance::domain::{Account, Command};
use skyfold::{App, CloudEvent, Error, ErrorKind, Ports, StreamName};
use skyfold_azure::{Access, Azure, Clients, Names};
use tokio::net::TcpListener;

use crate::common::{Place, client, cosmos, names};
use crate::large::command;
use crate::split::PARTITIONS;

/// How long a request may take that fails.
const FAILED_WITHIN: Duration = Duration::from_secs(30);

async fn clients() -> Clients {
    let cosmos = client().await;
    Clients {
        keys: cosmos.clone(),
        cosmos,
        http: Clients::http().unwrap(),
        topic: Access::Key(Secret::from("secret")),
        queue: Access::Signed,
    }
}

pub(crate) async fn a_container_that_does_not_exist_is_told() {
    let error = Azure::open(clients().await, names("nowhere", "http://127.0.0.1:1")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("create it"), "{error}");
}

/// What the bus and the queue at `url` say of an event and of a command.
async fn refused(place: &Place, url: &str) -> [Error; 2] {
    let azure = Azure::open(clients().await, names(place.database(), url)).await.unwrap();
    let Ports { queue, publisher, .. } = azure.ports();
    let announced = publisher.publish(&[event(place).await]).await;
    let sent = queue.send(&[command(&"x")]).await;
    [announced, sent].map(|outcomes| outcomes.into_iter().next().unwrap().unwrap_err())
}

/// An event as it is announced.
async fn event(place: &Place) -> CloudEvent {
    let app = App::new("bank").decider::<Account>();
    let runtime = app.bind(place.ports()).unwrap();
    let receipt = place.give(&runtime, &Command::Deposit { cents: 7 }).await;
    let stream: StreamName = "account-1".parse().unwrap();
    let event = crate::costs::event(place, &stream, receipt.version).await.unwrap();
    CloudEvent::new("bank", &event)
}

pub(crate) async fn what_nobody_reaches_is_unavailable_within_seconds() {
    let (place, start) = (Place::open().await.unwrap(), Instant::now());
    for error in refused(&place, "http://127.0.0.1:1").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    assert!(start.elapsed() < FAILED_WITHIN, "{:?}", start.elapsed());
}

/// The URL of services that answer with where to ask instead, for as long as the test runs.
async fn elsewhere() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let elsewhere = Router::new()
        .route("/elsewhere", any(|| async { "welcome" }))
        .fallback(any(|| async { (StatusCode::FOUND, [("location", "/elsewhere")]) }));
    tokio::spawn(async move { axum::serve(listener, elsewhere).await });
    url
}

pub(crate) async fn an_answer_that_leads_elsewhere_is_no_success() {
    let place = Place::open().await.unwrap();
    for error in refused(&place, &elsewhere().await).await {
        assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
    }
}

/// How many commands `place` keeps among its documents.
fn kept(place: &Place) -> usize {
    let changes = |partition| cosmos().changes(place.database(), "documents", partition, None);
    let items = (0..PARTITIONS).flat_map(|partition| changes(partition).unwrap().0);
    items.filter(|item| item["id"] == "command").count()
}

pub(crate) async fn a_command_that_the_queue_refuses_is_not_kept() {
    let place = Place::open().await.unwrap();
    let large = [command(&"x".repeat(50 * 1024))];
    let names = names(place.database(), &elsewhere().await);
    let azure = Azure::open(clients().await, names).await.unwrap();
    azure.ports().queue.send(&large).await.remove(0).unwrap_err();
    assert_eq!(kept(&place), 0);
    place.ports().queue.send(&large).await.remove(0).unwrap();
    assert_eq!(kept(&place), 1);
}

pub(crate) async fn what_is_shown_holds_no_secret() {
    let place = Place::open().await.unwrap();
    let names = names(place.database(), "http://127.0.0.1:1");
    let names = Names { queue: format!("{}?sig=secret", names.queue), ..names };
    let clients = clients().await;
    let azure = Azure::open(clients.clone(), names.clone()).await.unwrap();
    let shown = format!("{clients:?} {names:?} {azure:?} {:?}", azure.ports());
    assert!(shown.contains(&names.topic) && !shown.contains("secret"), "{shown}");
}
