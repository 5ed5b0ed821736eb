use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use azure_core::credentials::Secret;
use emulators::Azurite;
use skyfold::{Manifest, Runtime};
use skyfold_azure::{Access, Azure, Clients, Names};
use tokio::net::TcpListener;

use crate::emulator::{client, database, environment, names};
use crate::host::{FunctionApp, start};
use crate::package::Package;
use crate::services::Services;
use crate::{front, triggers};

/// Where the emulator of queues says what it does.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/azure");

/// The container of events.
pub(crate) const EVENTS: &str = "events";

/// The queue of commands.
pub(crate) const QUEUE: &str = "commands";

/// The function apps by their names.
pub(crate) type Apps = HashMap<&'static str, FunctionApp>;

/// The emulator of queues of this process, which ends with it.
static AZURITE: OnceLock<Azurite> = OnceLock::new();

/// The emulator of queues, which the first call starts.
pub(crate) fn azurite() -> &'static Azurite {
    AZURITE.get_or_init(|| Azurite::start(&Azurite::find().unwrap(), Path::new(FOLDER)).unwrap())
}

/// The order app, as four function apps of one package.
pub(crate) struct Installation {
    pub(crate) tokio: tokio::runtime::Runtime,
    pub(crate) apps: Arc<Apps>,
    pub(crate) services: Arc<Services>,
    names: Names,
    /// Where it is asked over HTTP.
    pub(crate) url: String,
}

impl Installation {
    /// Packs it, and starts all there is.
    pub(crate) fn new() -> Self {
        let package = Package::of("azure");
        let manifest = std::fs::read_to_string(&package.manifest).unwrap();
        let manifest: Manifest = serde_json::from_str(&manifest).unwrap();
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        for queue in [QUEUE, &format!("{QUEUE}-poison")] {
            azurite().create_queue(queue).unwrap();
        }
        let database = database();
        let queue = azurite().queue(QUEUE);
        let (services, services_url) = tokio.block_on(Services::serve(queue));
        let names = names(&database, &services_url);
        let variables = environment(&names, &services_url);
        let apps = Arc::new(start(&package, &manifest, &variables));
        let listener = tokio.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let front = front::router(apps.clone());
        tokio.spawn(async move { axum::serve(listener, front).await });
        tokio.spawn(triggers::bring_changes(apps.clone(), database));
        tokio.spawn(triggers::deliver(apps.clone(), services.clone(), manifest));
        tokio.spawn(triggers::bring_commands(apps.clone()));
        Self { tokio, apps, services, names, url }
    }

    /// The database of the app.
    pub(crate) fn database(&self) -> &str {
        &self.names.database
    }

    /// The app as an operator's, on the same containers and the same queue.
    pub(crate) async fn runtime(&self) -> Runtime {
        let cosmos = client().await;
        let clients = Clients {
            keys: cosmos.clone(),
            cosmos,
            http: Clients::http().unwrap(),
            topic: Access::Key(Secret::from("none")),
            queue: Access::Signed,
        };
        let names = Names { queue: azurite().queue(QUEUE), ..self.names.clone() };
        let azure = Azure::open(clients, names).await.unwrap();
        order::app().bind(azure.ports()).unwrap()
    }
}

impl Drop for Installation {
    /// Ends the programs: the tasks that ask them hold them as well.
    fn drop(&mut self) {
        self.apps.values().for_each(FunctionApp::kill);
    }
}
