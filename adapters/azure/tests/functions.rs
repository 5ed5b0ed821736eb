//! The order app as a program of its own that is called as the Functions host calls it: a replay of
//! its contract, for the host itself does not run here. The change feed, Event Grid and the queue
//! are brought by this test, in payloads of the forms that the unit tests have.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use azure_core::credentials::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::AsyncCase;
use indicatif::ProgressBar;
use order::import::{Plan, parse, run};
use portability::invoices;
use serde_json::{Value, json};
use skyfold::ports::{EventFeed, FeedQuery, Position};
use skyfold::{Payload, RecordedCommit};
use skyfold_azure::{Access, Azure, Clients, host};
use skyfold_cli::Client;
use skyfold_memory::Memory;
use tokio::net::TcpListener;

use crate::common::{client, cosmos, database, names, trials};

/// How many lines of invoices are placed.
const LINES: usize = 12;

/// How long the program may take to answer, and how long everything to come to rest.
const START_MAX: Duration = Duration::from_secs(30);
const REST_MAX: Duration = Duration::from_secs(120);

/// What was given to the bus and to the queue, of which each takes a token.
#[derive(Clone, Debug, Default)]
struct Services {
    events: Arc<Mutex<Vec<Value>>>,
    messages: Arc<Mutex<Vec<String>>>,
}

impl Services {
    /// Serves them, and an identity that has a token for everybody. Says where.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/token", get(token))
            .route("/api/events", post(publish))
            .route("/commands/messages", post(put_message))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
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

/// Holds what is to be visible at once. What is due later is not due before the test is over.
async fn put_message(
    State(services): State<Services>,
    Query(params): Query<HashMap<String, String>>,
    body: String,
) -> StatusCode {
    let text = body.strip_prefix("<QueueMessage><MessageText>").unwrap();
    let text = text.strip_suffix("</MessageText></QueueMessage>").unwrap();
    let text = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    if params["visibilitytimeout"] == "0" {
        services.messages.lock().unwrap().push(text);
    }
    StatusCode::CREATED
}

/// The function app, and what calls it.
struct Functions {
    variables: Vec<(&'static str, String)>,
    process: Mutex<Option<Child>>,
    port: u16,
    http: reqwest::Client,
    services: Services,
    feed: Arc<dyn EventFeed>,
    positions: Mutex<HashMap<u16, Position>>,
}

impl Functions {
    async fn start() -> Self {
        let services = Services::default();
        let url = services.serve().await;
        let database = database();
        let names = names(&database, &url);
        let account = cosmos().url();
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            free.local_addr().unwrap().port()
        };
        let variables = vec![
            ("SKYFOLD_COSMOS_ENDPOINT", account.clone()),
            ("SKYFOLD_KEYS_ENDPOINT", account),
            ("SKYFOLD_DATABASE", names.database.clone()),
            ("SKYFOLD_EVENTS", names.events.clone()),
            ("SKYFOLD_DOCUMENTS", names.documents.clone()),
            ("SKYFOLD_KEYS", names.keys.clone()),
            ("SKYFOLD_TOPIC_ENDPOINT", names.topic.clone()),
            ("SKYFOLD_QUEUE_URL", names.queue.clone()),
            ("IDENTITY_ENDPOINT", format!("{url}/token")),
            ("IDENTITY_HEADER", "header".to_owned()),
            ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        ];
        let cosmos = client().await;
        let clients = Clients {
            keys: cosmos.clone(),
            cosmos,
            http: Clients::http().unwrap(),
            topic: Access::Key(Secret::from("none")),
            queue: Access::Signed,
        };
        let feed = Azure::open(clients, names).await.unwrap().ports().feed;
        let functions = Self {
            variables,
            process: Mutex::default(),
            port,
            http: reqwest::Client::new(),
            services,
            feed,
            positions: Mutex::default(),
        };
        functions.restart().await;
        functions
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills the program if it runs, as a machine does that goes down, and starts it.
    async fn restart(&self) {
        self.kill();
        let program = std::env::current_exe().unwrap();
        let process = Command::new(program).envs(self.variables.clone()).spawn().unwrap();
        *self.process.lock().unwrap() = Some(process);
        let start = Instant::now();
        while self.http.get(self.url()).send().await.is_err() {
            assert!(start.elapsed() < START_MAX, "the program does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn kill(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Posts what a trigger has brought. Returns whether it is done with.
    async fn fire(&self, function: &str, binding: &str, brought: Value) -> bool {
        let invocation = json!({ "Data": { binding: brought }, "Metadata": {} });
        let request = self.http.post(format!("{}/{function}", self.url()));
        let request = request.header("content-type", "application/json; charset=utf-8");
        let answer = request.body(invocation.to_string()).send().await.unwrap();
        let is_done = answer.status().is_success();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer["Outputs"], json!({}), "{answer}");
        is_done
    }

    /// The commits that the change feed has brought since it was asked last.
    async fn changes(&self) -> Vec<RecordedCommit> {
        let mut commits = vec![];
        for slice in 0..self.feed.slices() {
            loop {
                let from = self.positions.lock().unwrap().get(&slice).cloned();
                let query = FeedQuery::default();
                let page = self.feed.read(slice, &query, from.as_ref()).await.unwrap();
                self.positions.lock().unwrap().insert(slice, page.next);
                commits.extend(page.commits);
                if page.is_tail {
                    break;
                }
            }
        }
        commits
    }

    /// Has everything brought until nothing is left to do.
    async fn settle(&self) {
        let start = Instant::now();
        let manifest = order::app().manifest();
        loop {
            assert!(start.elapsed() < REST_MAX, "it does not come to rest");
            let documents: Vec<_> = self.changes().await.iter().map(document).collect();
            let is_quiet = documents.is_empty();
            if !is_quiet {
                assert!(self.fire("relay", "documents", encoded(&json!(documents))).await);
            }
            let events = std::mem::take(&mut *self.services.events.lock().unwrap());
            let messages = std::mem::take(&mut *self.services.messages.lock().unwrap());
            if is_quiet && events.is_empty() && messages.is_empty() {
                return;
            }
            for event in events {
                let category = event["type"].as_str().unwrap().split('.').next().unwrap();
                let hears =
                    manifest.functions.iter().filter(|f| f.hears.iter().any(|c| c == category));
                for function in hears {
                    while !self.fire(&function.name, "event", event.clone()).await {
                        assert!(start.elapsed() < REST_MAX, "{} fails", function.name);
                    }
                }
            }
            for message in messages {
                let brought = Value::String(json!(message).to_string());
                while !self.fire("commands", "message", brought.clone()).await {
                    assert!(start.elapsed() < REST_MAX, "a command fails");
                }
            }
        }
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An array as the Functions host binds it: encoded once by the trigger, and once more.
fn encoded(documents: &Value) -> Value {
    Value::String(Value::String(documents.to_string()).to_string())
}

/// `commit` as the change feed shows it.
fn document(commit: &RecordedCommit) -> Value {
    let RecordedCommit { stream, first, commit } = commit;
    let (id, body) = (format!("{:020}", first.0), serde_json::to_string(commit).unwrap());
    json!({ "id": id, "s": stream, "b": body, "t": "", "_lsn": 1, "_etag": "\"0\"" })
}

fn plan(invoices: &str) -> Plan {
    Plan::of(parse::rows(invoices.as_bytes()).unwrap(), "GBP".parse().unwrap()).unwrap()
}

/// What `client` shows of the products and the orders of `invoices`.
async fn shown(client: &Client, invoices: &str) -> Vec<Value> {
    let mut shown = vec![];
    for line in invoices.lines().skip(1) {
        let mut fields = line.split(',');
        let order = fields.next().unwrap().trim_start_matches('C').to_owned();
        let product = fields.next().unwrap().to_uppercase();
        for (query, params) in [
            ("show-order", json!({ "order": order })),
            ("stock-of", json!({ "product": product })),
            ("sales-of", json!({ "product": product })),
        ] {
            let asked = Payload::encode(&params).unwrap();
            shown.push(match client.query(query, asked, None).await {
                Ok(answer) => json!([params, serde_json::from_str::<Value>(answer.get()).unwrap()]),
                Err(error) => json!([params, error.kind().code()]),
            });
        }
    }
    shown
}

async fn invoices_come_to_what_they_come_to_in_memory_though_the_program_is_killed() {
    let all = invoices();
    let invoices: Vec<_> = all.lines().take(1 + LINES).collect();
    let invoices = invoices.join("\n");

    let memory = Memory::new();
    let runtime = order::app().bind(memory.ports()).unwrap();
    let local = Client::new(runtime.clone());
    let rest = || async { memory.settle(&runtime).await };
    let expected = run(&local, plan(&invoices), rest, &ProgressBar::hidden()).await.unwrap();
    let expected_views = shown(&local, &invoices).await;
    assert!(expected_views.iter().any(|view| view[1]["status"].is_string()), "{expected_views:?}");

    let functions = Functions::start().await;
    let remote = Client::http(&functions.url(), order::app().manifest()).unwrap();
    let rest = || async {
        // What was appended was announced to nobody yet.
        functions.restart().await;
        functions.settle().await;
        Ok(())
    };
    let report = run(&remote, plan(&invoices), rest, &ProgressBar::hidden()).await.unwrap();
    assert_eq!(report.findings, expected.findings);
    assert_eq!(shown(&remote, &invoices).await, expected_views);
    // Whatever comes twice changes nothing.
    functions.positions.lock().unwrap().clear();
    functions.settle().await;
    assert_eq!(shown(&remote, &invoices).await, expected_views);
}

fn main() -> ExitCode {
    if host::is_called() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(host::run(order::app()));
    }
    let case: AsyncCase =
        ("invoices_come_to_what_they_come_to_in_memory_though_the_program_is_killed", || {
            Box::pin(invoices_come_to_what_they_come_to_in_memory_though_the_program_is_killed())
        });
    trials::run(&[case])
}
