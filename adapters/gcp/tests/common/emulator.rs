use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use emulators::{Google, GoogleEmulator};
use skyfold::ports::{Consistency, Range};
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
    PUBSUB.get_or_init(async || start(GoogleEmulator::PubSub)).await.url()
}

fn start(emulator: GoogleEmulator) -> Google {
    let program = emulator.find().unwrap_or_else(|missing| panic!("{missing}"));
    Google::start(emulator, &program, Path::new(FOLDER)).expect("it starts")
}

/// The URL of the emulated Firestore, which the first call starts.
pub async fn firestore() -> String {
    let warmed = async || {
        let started = start(GoogleEmulator::Firestore);
        warm(&started.url()).await;
        started
    };
    FIRESTORE.get_or_init(warmed).await.url()
}

/// Asks for this and that until it is answered.
async fn warm(url: &str) {
    let start = Instant::now();
    let wire = Wire::to(url).unwrap();
    let wire = Wire::new(Line::new(wire, calm()));
    let clients = Clients { firestore: wire.clone(), pubsub: wire.clone(), tasks: wire };
    let ports = Gcp::new(clients, names("warm")).ports();
    let stream = "warm-1".parse().unwrap();
    let key = skyfold::ports::DocumentKey { collection: "warm".into(), id: "1".into() };
    let write = skyfold::ports::Write {
        key: key.clone(),
        body: Some(skyfold::Payload::default()),
        listings: vec![],
        guard: skyfold::ports::Guard::None,
        expires: None,
    };
    loop {
        let read = ports.events.read(&stream, Range::NEWEST, 1, Consistency::Strong).await.err();
        let get = ports.documents.get(std::slice::from_ref(&key)).await.err();
        let written = ports.documents.write(std::slice::from_ref(&write)).await.remove(0).err();
        match read.or(get).or(written) {
            None => return,
            Some(error) => assert!(start.elapsed() < WARM_MAX, "it does not answer: {error}"),
        }
    }
}

/// The id of a project that nobody else has.
pub fn project() -> String {
    format!("p{}", PROJECTS.fetch_add(1, Ordering::Relaxed))
}
