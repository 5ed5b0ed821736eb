use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use conformance::faults::Shifted;
use emulators::{CloudTasks, Google, GoogleEmulator};
use googleapis_tonic_google_cloud_tasks_v2::google::cloud::tasks::v2 as tasks;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1 as pubsub;
use pubsub::publisher_client::PublisherClient;
use pubsub::subscriber_client::SubscriberClient;
use pubsub::{PushConfig, Subscription, Topic};
use serde_json::json;
use skyfold::{Kind, Runtime};
use skyfold_gcp::eventarc::{CREATED, PATH};
use skyfold_gcp::host::{Callers, service};
use skyfold_gcp::{Clients, Gcp, Names, Target, Wire};
use skyfold_http::{Options, serve};
use tasks::cloud_tasks_client::CloudTasksClient;
use tasks::{CreateQueueRequest, Queue};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::eventarc::Eventarc;
use crate::line::{Gate, Line};

/// Where the emulators say what they do.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/gcp");

/// The project.
const PROJECT: &str = "order";

/// How much later the sweep believes it is: it leaves to others what was recorded lately.
const LATER: time::Duration = time::Duration::minutes(5);

/// How long the first answers may take: an emulator loads its program with the first requests.
const WARM_MAX: Duration = Duration::from_secs(60);

/// The order app, each function a service with its own clients and memory.
pub(crate) struct Installation {
    pub(crate) tokio: tokio::runtime::Runtime,
    pub(crate) firestore: Google,
    _pubsub: Google,
    _tasks: CloudTasks,
    clients: Clients,
    names: Names,
    pub(crate) gate: Arc<Gate>,
    pub(crate) eventarc: Arc<Eventarc>,
    /// The API: where it is, and what answers there.
    pub(crate) url: String,
    api: Mutex<JoinHandle<()>>,
    pub(crate) sweep: Router,
}

impl Installation {
    /// Starts all there is.
    pub(crate) fn new([firestore, pubsub, tasks]: &[PathBuf; 3]) -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let folder = Path::new(FOLDER);
        let listen = || tokio.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let (doorbell, commands, api) = (listen(), listen(), listen());
        let arguments = [format!("--functions_emulator={}", doorbell.local_addr().unwrap())];
        let firestore =
            Google::start(GoogleEmulator::Firestore, firestore, folder, &arguments).unwrap();
        let pubsub = Google::start(GoogleEmulator::PubSub, pubsub, folder, &[]).unwrap();
        let tasks = CloudTasks::start(tasks, folder).unwrap();
        let gate = Arc::<Gate>::default();
        let clients = tokio.block_on(async {
            Clients {
                firestore: Line::wire(&firestore.url(), gate.clone()),
                pubsub: Wire::to(&pubsub.url()).unwrap(),
                tasks: Wire::to(&tasks.url()).unwrap(),
            }
        });
        let names = names(&url(&commands));
        let eventarc = Arc::<Eventarc>::default();
        let url = url(&api);
        let made = Self {
            firestore,
            _pubsub: pubsub,
            _tasks: tasks,
            sweep: service(
                runtime(&clients, &names, LATER),
                "sweep",
                Options::default(),
                Callers::anybody(),
            )
            .unwrap(),
            clients,
            names,
            gate,
            eventarc,
            url,
            api: Mutex::new(tokio.spawn(async {})),
            tokio,
        };
        made.tokio.block_on(made.install(doorbell, commands));
        *made.api.lock().unwrap() = made.serve("api", api);
        made
    }

    /// Makes what Terraform makes: topics, subscriptions, a queue, a trigger, and the services.
    async fn install(&self, doorbell: TcpListener, commands: TcpListener) {
        self.is_warm().await;
        self.eventarc.serve(doorbell, self.service("relay"));
        let path =
            format!("/emulator/v1/projects/{PROJECT}/eventarcTrigger?eventarcTriggerId=relay");
        // The service takes `*`, the emulator names.
        let pattern = PATH.replacen('*', "{stream}", 1).replacen('*', "{version}", 1);
        let trigger = json!({
            "eventType": CREATED,
            "database": "(default)",
            "namespace": "(default)",
            "document": { "value": pattern, "matchType": "PATH_PATTERN" },
        });
        self.firestore.post(&path, &trigger.to_string()).unwrap();
        let Names { topic, immediate, queue, .. } = &self.names;
        for name in [Some(topic), immediate.as_ref()].into_iter().flatten() {
            let topic = Topic { name: name.clone(), ..Default::default() };
            PublisherClient::new(self.clients.pubsub.clone()).create_topic(topic).await.unwrap();
        }
        let queue = Some(Queue { name: queue.clone(), ..Default::default() });
        let parent = format!("projects/{PROJECT}/locations/europe-west3");
        let create = CreateQueueRequest { parent, queue };
        CloudTasksClient::new(self.clients.tasks.clone()).create_queue(create).await.unwrap();
        let at = format!("{}/deliveries/commands", url(&commands));
        self.subscribe("commands", immediate.as_deref().unwrap(), at).await;
        self.serve("commands", commands);
        for function in order::app().manifest().functions {
            if !matches!(function.kind, Kind::Projection | Kind::Saga) {
                continue;
            }
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let at = format!("{}/deliveries/events", url(&listener));
            self.subscribe(&function.name, topic, at).await;
            self.serve(&function.name, listener);
        }
    }

    /// Waits until Firestore answers.
    async fn is_warm(&self) {
        let start = std::time::Instant::now();
        while let Err(error) = self.runtime().health().await {
            assert!(start.elapsed() < WARM_MAX, "it does not answer: {error}");
        }
    }

    async fn subscribe(&self, name: &str, topic: &str, endpoint: String) {
        let subscription = Subscription {
            name: format!("projects/{PROJECT}/subscriptions/{name}"),
            topic: topic.to_owned(),
            push_config: Some(PushConfig { push_endpoint: endpoint, ..Default::default() }),
            ack_deadline_seconds: 60,
            enable_message_ordering: true,
            ..Default::default()
        };
        let mut client = SubscriberClient::new(self.clients.pubsub.clone());
        client.create_subscription(subscription).await.unwrap();
    }

    /// A process of the app, with a memory of its own.
    pub(crate) fn runtime(&self) -> Runtime {
        runtime(&self.clients, &self.names, time::Duration::ZERO)
    }

    /// The same, whose commands are all tasks, which are delivered to `url`.
    pub(crate) fn runtime_with_tasks_for(&self, url: String) -> Runtime {
        let target = Target { url, account: None };
        let names = Names { immediate: None, target, ..self.names.clone() };
        runtime(&self.clients, &names, time::Duration::ZERO)
    }

    fn service(&self, name: &str) -> Router {
        service(self.runtime(), name, Options::default(), Callers::anybody()).unwrap()
    }

    /// Serves the function `name` on `listener`, until the handle is aborted.
    fn serve(&self, name: &str, listener: TcpListener) -> JoinHandle<()> {
        let router = self.service(name);
        self.tokio.spawn(async move {
            serve(listener, router, std::future::pending()).await.unwrap();
        })
    }

    /// Kills the process of the API, with all that it is doing.
    pub(crate) async fn kill_api(&self) {
        let process = std::mem::replace(&mut *self.api.lock().unwrap(), self.tokio.spawn(async {}));
        process.abort();
        let _ = process.await;
    }

    /// Starts another one in its place.
    pub(crate) async fn start_api(&self) {
        let address = self.url.trim_start_matches("http://");
        let listener = TcpListener::bind(address).await.unwrap();
        *self.api.lock().unwrap() = self.serve("api", listener);
    }
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

fn names(commands: &str) -> Names {
    Names {
        database: format!("projects/{PROJECT}/databases/(default)"),
        keys: format!("projects/{PROJECT}/databases/keys"),
        topic: format!("projects/{PROJECT}/topics/order"),
        immediate: Some(format!("projects/{PROJECT}/topics/order-commands")),
        queue: format!("projects/{PROJECT}/locations/europe-west3/queues/order"),
        target: Target { url: format!("{commands}/deliveries/commands"), account: None },
    }
}

fn runtime(clients: &Clients, names: &Names, later: time::Duration) -> Runtime {
    let ports = Gcp::new(clients.clone(), names.clone()).ports();
    let clock = Shifted::new(ports.clock.clone());
    clock.shift(later);
    order::app().bind(skyfold::Ports { clock, ..ports }).unwrap()
}
