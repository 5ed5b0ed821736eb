use std::path::Path;
use std::process::Command;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use deploy::{Copy, Resources, Tools};
use emulators::{Ministack, REGION};
use serde_json::Value;
use skyfold::Runtime;
use skyfold_aws::{Aws, Clients, Names};

use crate::gate::Gate;
use crate::making::{Making, Variables};
use crate::package;
use crate::package::Package;

/// On whose way to which service there is a gate: the variable that says where the service is
/// ("Service-specific endpoints"), and the request that they are killed at, which is the one that
/// makes their work known.
const GATES: [(&str, &str, &str); 3] = [
    ("fulfilment", "AWS_ENDPOINT_URL_SQS", "AmazonSQS.SendMessageBatch"),
    ("relay", "AWS_ENDPOINT_URL_EVENTBRIDGE", "AWSEvents.PutEvents"),
    ("stock", "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.PutItem"),
];

/// What Terraform is told: calls are short, and nobody waits long for a sweep.
const VARIABLES: [(&str, &str); 4] = [
    ("is_public", "true"),
    ("state_machines", "true"),
    ("sweep_minutes", "2"),
    ("timeout_seconds", "10"),
];

/// The order app, installed as its Terraform plans it.
pub(crate) struct Installation {
    pub(crate) ministack: Ministack,
    pub(crate) names: Names,
    /// Where its HTTP API is.
    pub(crate) url: String,
    /// The ARN of the state machine of `fulfilment`.
    pub(crate) machine: String,
    /// Runs what is asynchronous here.
    pub(crate) tokio: tokio::runtime::Runtime,
    pub(crate) clients: Clients,
    /// Where functions can be killed, and which.
    pub(crate) gates: Vec<(&'static str, Gate)>,
}

impl Installation {
    /// Installs it on an emulator of its own, the one at `ministack`.
    pub(crate) fn new(ministack: &Path, tools: &Tools) -> Self {
        let package = package();
        let planned = planned(tools, package);
        let folder = package.archive.with_file_name("ministack");
        let ministack = Ministack::start(ministack, &folder).unwrap();
        let url = ministack.url();
        let gate = |(function, _, target): (&'static str, _, _)| {
            let of = url.clone();
            (function, Gate::new(&url, target, move || _ = kill(function, &of)))
        };
        let gates = Vec::from(GATES.map(gate));
        let variables = |function: &str| -> Variables {
            let own = GATES.into_iter().zip(&gates).filter(|((name, ..), _)| *name == function);
            own.map(|((_, variable, _), (_, gate))| (variable, gate.url().to_owned())).collect()
        };
        let mut making = Making::new(&ministack, &planned);
        making.tables();
        making.bus();
        making.queues();
        making.functions(&package.archive, variables);
        making.mappings();
        making.machines();
        making.rules();
        let api = making.api();
        making.ends();
        let names = names(&making, &planned);
        let machine = planned.at("aws_sfn_state_machine.saga[\"fulfilment\"]");
        let machine = making.real(&machine.values["arn"]).as_str().unwrap().to_owned();
        let tokio = tokio::runtime::Runtime::new().unwrap();
        let clients = Clients::new(&config(&ministack));
        let url = format!("{url}/_aws/execute-api/{api}/$default");
        Self { names, url, machine, tokio, clients, gates, ministack }
    }

    /// Kills the processes of the function `name`. Returns how many there were.
    pub(crate) fn kill(&self, name: &str) -> u32 {
        kill(name, &self.ministack.url())
    }

    /// The app in this process, on the same tables.
    pub(crate) fn runtime(&self) -> Runtime {
        let aws = Aws::new(self.clients.clone(), self.names.clone());
        order::app().bind(aws.ports()).unwrap()
    }
}

/// What Terraform plans for `package`.
fn planned(tools: &Tools, package: &Package) -> Resources {
    let copy = Copy::of("aws", "aws", env!("CARGO_TARGET_TMPDIR"), "emulated");
    let own = [("manifest", package.manifest.to_str()), ("package", package.archive.to_str())];
    let copy = own.into_iter().fold(copy, |copy, (name, path)| copy.with(name, path.unwrap()));
    let copy = VARIABLES.into_iter().fold(copy, |copy, (name, value)| copy.with(name, value));
    copy.apply_apart(tools).unwrap()
}

/// What things are called, as functions are told.
fn names(making: &Making<'_>, planned: &Resources) -> Names {
    let function = planned.at(r#"aws_lambda_function.this["api"]"#);
    let told: Value = making.real(&function.values["environment"][0]["variables"]);
    let told = |name: &str| told[name].as_str().unwrap().to_owned();
    Names {
        events: told("SKYFOLD_EVENTS_TABLE"),
        documents: told("SKYFOLD_DOCUMENTS_TABLE"),
        keys: told("SKYFOLD_KEYS_TABLE"),
        bus: told("SKYFOLD_BUS"),
        queue: told("SKYFOLD_QUEUE_URL"),
    }
}

/// Kills the processes of the function `name` on the emulator at `url`, as a machine does that
/// goes down. Returns how many there were.
fn kill(name: &str, url: &str) -> u32 {
    let own = [format!("SKYFOLD_FUNCTION={name}"), format!("AWS_ENDPOINT_URL={url}")];
    let is_own = |environment: &[u8]| {
        let variables: Vec<_> = environment.split(|byte| *byte == 0).collect();
        own.iter().all(|own| variables.contains(&own.as_bytes()))
    };
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if is_own(&environment) {
            let pid = entry.file_name();
            let kill = Command::new("kill").arg("-KILL").arg(&pid).status().unwrap();
            killed += u32::from(kill.success());
        }
    }
    killed
}

fn config(ministack: &Ministack) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(ministack.url())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
