//! The order app as a program of its own, as Container Apps starts it: on Microsoft's emulators of
//! Cosmos DB and Queue Storage. This test is Event Grid, which does not run here: it delivers by
//! webhook what was announced, with a token.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use azure_core::credentials::Secret;
use conformance::AsyncCase;
use emulators::{Azurite, Issuer, SigningKey};
use portability::chain::{in_memory, invoices};
use serde_json::{Value, json};
use skyfold::EventId;
use skyfold::ports::{EventFeed, FeedQuery, Position};
use skyfold_azure::host::{Callers, Certs, program};
use skyfold_azure::{Access, Azure, Clients};
use skyfold_cli::Client;
use skyfold_http::process::stopped;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::common::{client, database, environment, names, trials};

/// How long the program may take to answer and to stop, and how long everything to come to rest.
const START_MAX: Duration = Duration::from_secs(30);
const REST_MAX: Duration = Duration::from_secs(120);

/// What tells this program that it is the one that is tested: where keys of tokens are.
const CERTS: &str = "SKYFOLD_AZURE_TEST_CERTS";

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const AUDIENCE: &str = "api://order";
const CALLER: &str = "4962773b-9cdb-44cf-a8bf-237846a00ab7";

/// What the program is told, and then what it does until it is told to stop.
async fn be_the_program(certs: &str) -> ExitCode {
    let azure = Azure::from_environment().await.unwrap();
    let runtime = order::app().bind(azure.ports()).unwrap();
    let (audiences, ids) = ([AUDIENCE.to_owned()], vec![CALLER.to_owned()]);
    let callers = Callers::applications(Certs::at(certs).unwrap(), TENANT, &audiences, ids);
    let port: u16 = std::env::var("CONTAINER_APP_PORT").unwrap().parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    program(listener, runtime, azure, callers, stopped().unwrap()).await.unwrap();
    ExitCode::SUCCESS
}

/// The emulator of queues, which ends with this process.
fn azurite() -> &'static Azurite {
    common::azurite().unwrap()
}

/// What was announced, and the queue of the emulator, which is asked for whoever has a token.
#[derive(Clone, Debug)]
struct Services {
    events: Arc<Mutex<Vec<Value>>>,
    http: reqwest::Client,
    /// The queue, with a signature.
    queue: String,
    /// What the queue has answered to whoever hid a message.
    hidden: Arc<Mutex<Vec<StatusCode>>>,
}

impl Services {
    /// Serves them, and an identity that has a token for everybody. Says where.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/token", get(token))
            .route("/api/events", post(publish))
            .route("/commands/{*rest}", any(pass_on))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    /// How many messages the queue holds, those that are hidden included.
    async fn messages(&self) -> usize {
        let request = self.http.get(format!("{}&comp=metadata", self.queue));
        let answer = request.header("x-ms-version", "2021-12-02").send().await.unwrap();
        let count = answer.headers()["x-ms-approximate-messages-count"].to_str().unwrap();
        count.parse().unwrap()
    }
}

async fn token() -> Json<Value> {
    Json(json!({
        "access_token": "token",
        "expires_on": "4102444800",
        "resource": "",
        "token_type": "Bearer",
    }))
}

async fn publish(State(services): State<Services>, body: String) {
    let events: Vec<Value> = serde_json::from_str(&body).unwrap();
    services.events.lock().unwrap().extend(events);
}

/// Passes a request on to the queue, signed. What is to be visible later is not due before the test
/// is over.
async fn pass_on(State(services): State<Services>, request: Request) -> Response {
    assert_eq!(request.headers()["authorization"], "Bearer token");
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let query = uri.query().unwrap_or_default();
    if method == Method::POST && !query.contains("visibilitytimeout=0") {
        return StatusCode::CREATED.into_response();
    }
    let version = request.headers()["x-ms-version"].clone();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let (place, signature) = services.queue.split_once('?').unwrap();
    let rest = uri.path().strip_prefix("/commands").unwrap();
    let url = format!("{place}{rest}?{query}&{signature}");
    let passed = services.http.request(method.clone(), url).header("x-ms-version", version);
    let answer = passed.body(body).send().await.unwrap();
    if method == Method::PUT {
        services.hidden.lock().unwrap().push(answer.status());
    }
    (answer.status(), answer.text().await.unwrap()).into_response()
}

/// The program, and what delivers to it.
struct App {
    variables: Vec<(&'static str, String)>,
    process: Mutex<Option<Child>>,
    port: u16,
    http: reqwest::Client,
    key: SigningKey,
    services: Services,
    feed: Arc<dyn EventFeed>,
    positions: Mutex<HashMap<u16, Position>>,
    /// What was recorded that is to be announced, and what was announced.
    recorded: Mutex<HashSet<EventId>>,
    announced: Mutex<HashSet<EventId>>,
}

impl App {
    /// The one whose queue is called `queue`.
    async fn start(queue: &str) -> Self {
        azurite().create_queue(queue).unwrap();
        let (queue, http) = (azurite().queue(queue), reqwest::Client::new());
        let (events, hidden) = (Arc::default(), Arc::default());
        let services = Services { events, http: http.clone(), queue, hidden };
        let url = services.serve().await;
        let key = SigningKey::generate();
        let certs = Issuer::of(&[&key]).serve().await;
        let names = names(&database(), &url);
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            free.local_addr().unwrap().port()
        };
        let mut variables = environment(&names, &url);
        variables.extend([("CONTAINER_APP_PORT", port.to_string()), (CERTS, certs)]);
        let cosmos = client().await;
        let clients = Clients {
            keys: cosmos.clone(),
            cosmos,
            http: Clients::http().unwrap(),
            topic: Access::Key(Secret::from("none")),
            queue: Access::Signed,
        };
        let feed = Azure::open(clients, names).await.unwrap().ports().feed;
        let app = Self {
            variables,
            process: Mutex::default(),
            port,
            http,
            key,
            services,
            feed,
            positions: Mutex::default(),
            recorded: Mutex::default(),
            announced: Mutex::default(),
        };
        app.restart().await;
        app
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Tells the program to stop if it runs, as Container Apps does that puts another one in its
    /// place, and starts it.
    async fn restart(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            let id = process.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            let start = Instant::now();
            let status = loop {
                assert!(start.elapsed() < START_MAX, "the program does not stop");
                if let Some(status) = process.try_wait().unwrap() {
                    break status;
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            assert_eq!(status.code(), Some(0));
        }
        let program = std::env::current_exe().unwrap();
        let process = Command::new(program).envs(self.variables.clone()).spawn().unwrap();
        *self.process.lock().unwrap() = Some(process);
        let start = Instant::now();
        while self.http.get(self.url()).send().await.is_err() {
            assert!(start.elapsed() < START_MAX, "the program does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What Entra says of Event Grid now.
    fn token(&self) -> String {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let issuer = format!("https://sts.windows.net/{TENANT}/");
        self.key.token(&json!({
            "appid": CALLER, "aud": AUDIENCE, "exp": now + 3600, "iat": now, "iss": issuer,
        }))
    }

    /// Delivers `event` to `function`. Returns whether it is done with.
    async fn deliver(&self, function: &str, event: &Value) -> bool {
        let request = self.http.post(format!("{}/deliveries/{function}", self.url()));
        let request = request.header("content-type", "application/cloudevents+json");
        let request = request.header("aeg-event-type", "Notification").bearer_auth(self.token());
        let status = request.body(event.to_string()).send().await.unwrap().status();
        assert!(status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
        status.is_success()
    }

    /// Notes what was recorded since it was asked last, and is to be announced.
    async fn look(&self) {
        for slice in 0..self.feed.slices() {
            loop {
                let from = self.positions.lock().unwrap().get(&slice).cloned();
                let query = FeedQuery::default();
                let page = self.feed.read(slice, &query, from.as_ref()).await.unwrap();
                self.positions.lock().unwrap().insert(slice, page.next);
                let commits = page.commits.iter().filter(|commit| commit.stream.saga().is_none());
                let events = commits.flat_map(|commit| commit.events()).map(|event| event.id());
                self.recorded.lock().unwrap().extend(events);
                if page.is_tail {
                    break;
                }
            }
        }
    }

    fn is_all_announced(&self) -> bool {
        self.recorded.lock().unwrap().is_subset(&self.announced.lock().unwrap())
    }

    /// Delivers what is announced until nothing is left to do.
    async fn settle(&self) {
        let start = Instant::now();
        let manifest = order::app().manifest();
        loop {
            assert!(start.elapsed() < REST_MAX, "it does not come to rest");
            // In this order: what runs is a message until it has recorded something.
            let messages = self.services.messages().await;
            self.look().await;
            let events = std::mem::take(&mut *self.services.events.lock().unwrap());
            let is_quiet = events.is_empty() && messages == 0;
            for event in events {
                let id: EventId = serde_json::from_value(event["id"].clone()).unwrap();
                self.announced.lock().unwrap().insert(id);
                let category = event["type"].as_str().unwrap().split('.').next().unwrap();
                let hears =
                    manifest.functions.iter().filter(|f| f.hears.iter().any(|c| c == category));
                for function in hears {
                    while !self.deliver(&function.name, &event).await {
                        assert!(start.elapsed() < REST_MAX, "{} fails", function.name);
                    }
                }
            }
            if is_quiet && self.is_all_announced() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

async fn invoices_come_to_what_they_come_to_in_memory_though_the_program_is_replaced() {
    let expected = in_memory(invoices()).await;
    let app = App::start("invoices").await;
    let remote = Client::http(&app.url(), order::app().manifest()).unwrap();
    let rest = || async {
        app.restart().await;
        app.settle().await;
        Ok(())
    };
    expected.place_with(&remote, rest).await;
    expected.is_shown(&remote).await;
}

async fn what_cannot_be_read_stays_in_the_queue_and_comes_again() {
    let app = App::start("unreadable").await;
    let (place, signature) = app.services.queue.split_once('?').unwrap();
    let message = "<QueueMessage><MessageText>bm9uc2Vuc2U=</MessageText></QueueMessage>";
    let put = app.http.post(format!("{place}/messages?{signature}")).body(message);
    let put = put.header("x-ms-version", "2021-12-02").send().await.unwrap();
    assert_eq!(put.status(), StatusCode::CREATED);
    let start = Instant::now();
    // Left as it was received it would not come again as soon.
    while app.services.hidden.lock().unwrap().len() < 3 {
        assert!(start.elapsed() < START_MAX, "it does not come again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let hidden = std::mem::take(&mut *app.services.hidden.lock().unwrap());
    assert!(hidden.iter().all(|status| *status == StatusCode::NO_CONTENT), "{hidden:?}");
    assert_eq!(app.services.messages().await, 1);
}

/// What Event Grid posts to a webhook, as its documentation has it, for an app that has accounts;
/// and what it is told: this app has none, so that events of one come again.
const GOLDEN: [(&str, &str, StatusCode); 2] = [
    (
        include_str!("../src/host/tests/golden/webhook-validation.json"),
        "SubscriptionValidation",
        StatusCode::OK,
    ),
    (
        include_str!("../src/host/tests/golden/webhook-batch.json"),
        "Notification",
        StatusCode::SERVICE_UNAVAILABLE,
    ),
];

async fn the_program_answers_what_event_grid_asks_of_a_webhook() {
    let app = App::start("webhooks").await;
    let url = format!("{}/deliveries/stock-level", app.url());
    let asked = app.http.request(Method::OPTIONS, &url);
    let asked = asked.header("webhook-request-origin", "eventgrid.azure.net").send().await.unwrap();
    assert_eq!(asked.headers()["webhook-allowed-origin"], "eventgrid.azure.net");
    for (golden, kind, expected) in GOLDEN {
        let post = || app.http.post(&url).header("aeg-event-type", kind).body(golden);
        let nobody = post().send().await.unwrap();
        assert_eq!(nobody.status(), StatusCode::NOT_FOUND, "{kind} without a token");
        let told = post().bearer_auth(app.token()).send().await.unwrap();
        assert_eq!(told.status(), expected, "{kind}");
        let told = told.text().await.unwrap();
        let is_validated = told.contains("512d38b6-c7b8-40c8-89fe-f46f9e9622b6");
        assert_eq!(is_validated, kind == "SubscriptionValidation", "{told}");
    }
}

fn main() -> ExitCode {
    if let Ok(certs) = std::env::var(CERTS) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(be_the_program(&certs));
    }
    let cases: [AsyncCase; 3] = [
        ("the_program_answers_what_event_grid_asks_of_a_webhook", || {
            Box::pin(the_program_answers_what_event_grid_asks_of_a_webhook())
        }),
        ("invoices_come_to_what_they_come_to_in_memory_though_the_program_is_replaced", || {
            Box::pin(invoices_come_to_what_they_come_to_in_memory_though_the_program_is_replaced())
        }),
        ("what_cannot_be_read_stays_in_the_queue_and_comes_again", || {
            Box::pin(what_cannot_be_read_stays_in_the_queue_and_comes_again())
        }),
    ];
    trials::run_with(&cases, Azurite::find().err())
}
