use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What every request brings.
const TOKEN: &str = "token";

/// What stands for Event Grid and for the identities of Azure; and the way to the queue, whose
/// emulator takes no tokens without TLS.
#[derive(Debug)]
pub(crate) struct Services {
    /// What was announced and not delivered yet.
    pub(crate) events: Mutex<Vec<Value>>,
    /// Whether who announces hears no answer.
    pub(crate) is_silent: AtomicBool,
    /// That somebody waits for an answer then.
    pub(crate) waits: Notify,
    /// The queue of commands on its emulator, with what permits it.
    queue: String,
    client: reqwest::Client,
}

impl Services {
    /// Those that bring commands to `queue`, and where they are.
    pub(crate) async fn serve(queue: String) -> (Arc<Self>, String) {
        let services = Arc::new(Self {
            events: Mutex::default(),
            is_silent: AtomicBool::default(),
            waits: Notify::default(),
            queue,
            client: reqwest::Client::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/token", get(token))
            .route("/api/events", post(publish))
            .route("/commands/messages", post(put_message))
            .with_state(services.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (services, url)
    }
}

/// A token for everybody ("How to use managed identities for App Service and Azure Functions",
/// "Connect to Azure services in app code").
async fn token() -> Json<Value> {
    Json(json!({
        "access_token": TOKEN,
        "expires_on": "4102444800",
        "resource": "",
        "token_type": "Bearer",
    }))
}

fn is_permitted(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value == &format!("Bearer {TOKEN}"))
}

async fn publish(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    if !is_permitted(&headers) {
        return StatusCode::UNAUTHORIZED;
    }
    let events: Vec<Value> = serde_json::from_str(&body).unwrap();
    services.events.lock().unwrap().extend(events);
    if services.is_silent.load(Ordering::SeqCst) {
        services.waits.notify_one();
        std::future::pending::<()>().await;
    }
    StatusCode::OK
}

async fn put_message(
    State(services): State<Arc<Services>>,
    Query(params): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    if !is_permitted(&headers) {
        return StatusCode::UNAUTHORIZED;
    }
    let request = services.client.post(services.queue.replacen('?', "/messages?", 1));
    let request = request.query(&params).header("x-ms-version", "2021-12-02").body(body);
    match request.send().await {
        Ok(answer) => answer.status(),
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}
