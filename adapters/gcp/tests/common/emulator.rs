use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use emulators::{Google, GoogleEmulator};
use skyfold::ports::{Consistency, DocumentKey, Guard, Range, Write};
use skyfold::{Payload, Ports};
use skyfold_gcp::{Clients, Gcp, Wire};
use tokio::sync::OnceCell;

use super::{Line, calm, names};

/// Where the emulator says what it does.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/gcp");

/// How long its first answers may take: it loads its program with the first requests.
const WARM_MAX: Duration = Duration::from_secs(60);

/// The Firestore of this process, which ends with it.
static FIRESTORE: OnceCell<Google> = OnceCell::const_new();

/// How many projects were asked for.
static PROJECTS: AtomicUsize = AtomicUsize::new(0);

/// The Pub/Sub of this process, which ends with it.
static PUBSUB: OnceCell<Google> = OnceCell::const_new();

/// The URL of the emulated Pub/Sub, which the first call starts.
pub async fn pubsub() -> String {
    PUBSUB.get_or_init(async || start(GoogleEmulator::PubSub, &[])).await.url()
}

/// Starts one that nobody else asks.
pub fn start(emulator: GoogleEmulator, arguments: &[String]) -> Google {
    let program = emulator.find().unwrap_or_else(|missing| panic!("{missing}"));
    Google::start(emulator, &program, Path::new(FOLDER), arguments).expect("it starts")
}

/// The URL of the emulated Firestore, which the first call starts.
pub async fn firestore() -> String {
    let warmed = async || {
        let started = start(GoogleEmulator::Firestore, &[]);
        answering(&started.url(), "warm").await;
        started
    };
    FIRESTORE.get_or_init(warmed).await.url()
}

/// The ports on `project` of the emulated Firestore at `url`, once it answers.
pub async fn answering(url: &str, project: &str) -> Ports {
    let start = Instant::now();
    let wire = Wire::to(url).unwrap();
    let wire = Wire::new(Line::new(wire, calm()));
    let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
    let ports = Gcp::new(clients, names(project)).ports();
    let stream = "warm-1".parse().unwrap();
    let key = DocumentKey { collection: "warm".into(), id: "1".into() };
    let (body, guard) = (Some(Payload::default()), Guard::None);
    let write = Write { key: key.clone(), body, listings: vec![], guard, expires: None };
    loop {
        let read = ports.events.read(&stream, Range::NEWEST, 1, Consistency::Strong).await.err();
        let get = ports.documents.get(std::slice::from_ref(&key)).await.err();
        let written = ports.documents.write(std::slice::from_ref(&write)).await.remove(0).err();
        match read.or(get).or(written) {
            None => return ports,
            Some(error) => assert!(start.elapsed() < WARM_MAX, "it does not answer: {error}"),
        }
    }
}

/// The id of a project that nobody else has.
pub fn project() -> String {
    format!("p{}", PROJECTS.fetch_add(1, Ordering::Relaxed))
}
