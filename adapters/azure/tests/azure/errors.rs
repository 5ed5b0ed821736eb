use std::time::{Duration, Instant};

use azure_core::credentials::Secret;
use skyfold::ErrorKind;
use skyfold::ports::QueuedCommand;
use skyfold_azure::{Access, Azure, Clients};

use crate::common::{Place, client, names};
use crate::large::request;

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

pub(crate) async fn a_topic_that_nobody_reaches_is_unavailable_within_seconds() {
    let (place, start) = (Place::open().await.unwrap(), Instant::now());
    let clients = clients().await;
    assert!(!format!("{clients:?}").contains("secret"), "a key is not shown");
    let azure = Azure::open(clients, names(place.database(), "http://127.0.0.1:1")).await.unwrap();
    let command =
        QueuedCommand { category: "order".into(), request: request(&"x"), due: None, timer: None };
    let outcomes = azure.ports().queue.send(&[command]).await;
    let error = outcomes.into_iter().next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(start.elapsed() < FAILED_WITHIN, "{:?}", start.elapsed());
}
