use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use azure_core::credentials::Secret;
use azure_data_cosmos::options::ConnectionPoolOptions;
use azure_data_cosmos::{AccountReference, CosmosClient, CosmosRuntime, RoutingStrategy};
use emulators::{Azurite, Cosmos};
use skyfold_azure::{Clients, Names, containers};

/// The emulator of this process, which ends with it.
static COSMOS: OnceLock<Cosmos> = OnceLock::new();

/// How many databases were asked for.
static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// The region of the emulator that is not written to, and has everything later.
pub const LAGGING: &str = "North Europe";

/// Any key, for none is looked at.
const KEY: &str = "c2VjcmV0";

/// What everything of `database` is called, with the services at `url`.
pub fn names(database: &str, url: &str) -> Names {
    Names {
        database: database.to_owned(),
        events: "events".into(),
        documents: "documents".into(),
        keys: "keys".into(),
        topic: format!("{url}/api/events"),
        queue: format!("{url}/commands"),
    }
}

/// What a program is told of what is called by `names`, on the emulator; and that there is an
/// identity at `url`, as Azure says it.
pub fn environment(names: &Names, url: &str) -> Vec<(&'static str, String)> {
    let account = cosmos().url();
    vec![
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
    ]
}

/// The emulator, which the first call starts.
pub fn cosmos() -> &'static Cosmos {
    COSMOS.get_or_init(|| {
        let program = Cosmos::find().unwrap_or_else(|missing| panic!("{missing}"));
        Cosmos::start(&program).expect("it starts")
    })
}

/// The emulator of queues of this process, which the first call starts and which ends with it.
/// Where it is missing there is none, and it is said how to install it.
pub fn azurite() -> Option<&'static Azurite> {
    static AZURITE: OnceLock<Option<Azurite>> = OnceLock::new();
    let start = || match Azurite::find() {
        Ok(program) => {
            let folder = std::env::temp_dir().join(format!("azurite-{}", std::process::id()));
            Some(Azurite::start(&program, &folder).expect("it starts"))
        }
        Err(missing) if emulators::is_required() => panic!("{missing}"),
        Err(missing) => {
            eprintln!("no command passes through a queue that is not our own: {missing}");
            None
        }
    };
    AZURITE.get_or_init(start).as_ref()
}

/// The name of a database that nobody else has, with all containers.
pub fn database() -> String {
    let name = format!("db{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let names = names(&name, "");
    let cosmos = cosmos();
    cosmos.create_database(&name).unwrap();
    for container in [
        containers::events(&names.events),
        containers::documents(&names.documents),
        containers::keys(&names.keys),
    ] {
        cosmos.create_container(&name, &container).unwrap();
    }
    name
}

/// A client of this test's own, as the adapter makes it: its connections end with the runtime that
/// made them.
pub async fn client() -> CosmosClient {
    Clients::account(account(), pool()).await.unwrap()
}

/// A client which reads from `region`, as the adapter makes none.
pub async fn client_near(region: &'static str) -> CosmosClient {
    let runtime = CosmosRuntime::builder().with_connection_pool(pool()).build().await.unwrap();
    let client = CosmosClient::builder().with_runtime(runtime);
    let routing = RoutingStrategy::PreferredRegions(vec![region.into()]);
    client.build(account(), routing).await.unwrap()
}

fn account() -> AccountReference {
    let endpoint = cosmos().url().parse().unwrap();
    AccountReference::with_authentication_key(endpoint, Secret::from(KEY.to_owned()))
}

/// The emulator's host speaks HTTP/1.1 alone, and without TLS nobody says which it shall be.
fn pool() -> ConnectionPoolOptions {
    ConnectionPoolOptions::builder().with_is_http2_allowed(false).build().unwrap()
}
