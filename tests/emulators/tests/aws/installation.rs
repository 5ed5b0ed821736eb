use std::collections::BTreeMap;
use std::path::Path;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use emulators::{Ministack, REGION};
use serde_json::{Value, json};
use skyfold::Runtime;
use skyfold_aws::{Aws, Clients, Feed, Names, tables};

use crate::program::Program;

/// How long a message is invisible once a function has it: as long as a call may take here.
const VISIBILITY_SECONDS: &str = "10";

/// How often a message comes before the queue sets it aside.
const RECEIVES_MAX: u32 = 100;

/// The functions of the host, beside those of the app.
const HOST: [&str; 3] = ["api", "commands", "sweep"];

/// The order app, installed as its Terraform installs it: from the manifest alone.
pub(crate) struct Installation {
    pub(crate) ministack: Ministack,
    pub(crate) names: Names,
    /// Where its HTTP API is.
    pub(crate) url: String,
    /// Runs what is asynchronous here.
    pub(crate) tokio: tokio::runtime::Runtime,
    pub(crate) clients: Clients,
}

impl Installation {
    /// Installs it on an emulator of its own, the one at `ministack`.
    pub(crate) fn new(ministack: &Path) -> Self {
        let program = Program::get();
        let folder = program.package.with_file_name("ministack");
        let ministack = Ministack::start(ministack, &folder).unwrap();
        let tokio = tokio::runtime::Runtime::new().unwrap();
        let clients = Clients::new(&config(&ministack));
        let mut building = Building { ministack: &ministack, program, queues: BTreeMap::new() };
        let bus = building.bus();
        let names = Names {
            events: "order-events".into(),
            documents: "order-documents".into(),
            keys: "order-keys".into(),
            bus,
            queue: building.queue("commands").url,
        };
        let stream = tokio.block_on(tables_of(&clients, &names));
        let functions = building.functions(&names);
        building.mappings(&functions, &stream);
        let url = building.api(&functions);
        Self { names, url, tokio, clients, ministack }
    }

    /// The app in this process, on the same tables.
    pub(crate) fn runtime(&self) -> Runtime {
        let aws = Aws::new(self.clients.clone(), self.names.clone());
        order::app().bind(aws.ports()).unwrap()
    }
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

/// Makes the tables. Returns the ARN of the stream of that of events.
async fn tables_of(clients: &Clients, names: &Names) -> String {
    let client = &clients.dynamodb;
    tables::create_events(client, &names.events, Feed::Index).await.unwrap();
    tables::create_documents(client, &names.documents).await.unwrap();
    tables::create_keys(client, &names.keys).await.unwrap();
    let table = client.describe_table().table_name(&names.events).send().await.unwrap();
    table.table.unwrap().latest_stream_arn.unwrap()
}

/// What is being installed, and where.
struct Building<'a> {
    ministack: &'a Ministack,
    program: &'a Program,
    /// The ARNs of the queues.
    queues: BTreeMap<String, String>,
}

/// A queue.
struct Queue {
    url: String,
    arn: String,
}

impl Building<'_> {
    /// The functions of the app that `is_wanted`.
    fn of(&self, is_wanted: impl Fn(&Value) -> bool) -> Vec<&Value> {
        let functions = self.program.manifest["functions"].as_array().unwrap();
        functions.iter().filter(|function| is_wanted(function)).collect()
    }

    /// Makes the bus, and for whoever hears a rule and a queue. Returns its name.
    fn bus(&mut self) -> String {
        let events = |target: &str, body| self.ministack.target("events", target, &body);
        events("AWSEvents.CreateEventBus", json!({ "Name": "order" }));
        let mut queues = BTreeMap::new();
        for function in self.of(|function| !function["hears"].is_null()) {
            let name = function["name"].as_str().unwrap();
            let arn = self.queue(name).arn;
            let hears = function["hears"].as_array().unwrap();
            let prefix =
                |category: &Value| json!({ "prefix": format!("{}-", category.as_str().unwrap()) });
            let subjects: Vec<_> = hears.iter().map(prefix).collect();
            let pattern = json!({ "source": ["order"], "detail": { "subject": subjects } });
            let (rule, bus) = (name, "order");
            events(
                "AWSEvents.PutRule",
                json!({
                "Name": rule, "EventBusName": bus, "EventPattern": pattern.to_string() }),
            );
            events(
                "AWSEvents.PutTargets",
                json!({
                "Rule": rule, "EventBusName": bus, "Targets": [{ "Id": rule, "Arn": arn }] }),
            );
            queues.insert(name.to_owned(), arn);
        }
        queues.insert("commands".into(), self.queue("commands").arn);
        self.queues = queues;
        "order".into()
    }

    /// Makes the queue of `function`, with one for what nobody could handle, unless it is there.
    fn queue(&self, function: &str) -> Queue {
        let make = |name: String, attributes: Value| {
            let body = json!({ "QueueName": name, "Attributes": attributes });
            let made = self.ministack.target("sqs", "AmazonSQS.CreateQueue", &body);
            let url = made["QueueUrl"].as_str().unwrap().to_owned();
            let body = json!({ "QueueUrl": url, "AttributeNames": ["QueueArn"] });
            let told = self.ministack.target("sqs", "AmazonSQS.GetQueueAttributes", &body);
            Queue { url, arn: told["Attributes"]["QueueArn"].as_str().unwrap().to_owned() }
        };
        let dead = make(format!("order-{function}-dead"), json!({}));
        let redrive = json!({ "deadLetterTargetArn": dead.arn, "maxReceiveCount": RECEIVES_MAX });
        make(
            format!("order-{function}"),
            json!({
            "VisibilityTimeout": VISIBILITY_SECONDS, "RedrivePolicy": redrive.to_string() }),
        )
    }

    /// Makes a function of Lambda for each function of the app, and those of the host. Returns
    /// their ARNs.
    fn functions(&self, names: &Names) -> BTreeMap<String, String> {
        let code = STANDARD.encode(std::fs::read(&self.program.package).unwrap());
        let variables = json!({
            "SKYFOLD_EVENTS_TABLE": names.events,
            "SKYFOLD_DOCUMENTS_TABLE": names.documents,
            "SKYFOLD_KEYS_TABLE": names.keys,
            "SKYFOLD_BUS": names.bus,
            "SKYFOLD_QUEUE_URL": names.queue,
        });
        let own = self.of(|_| true).into_iter().map(|f| f["name"].as_str().unwrap());
        let make = |name: &str| {
            let mut variables = variables.clone();
            variables["SKYFOLD_FUNCTION"] = name.into();
            let made = self.ministack.rest(
                "lambda",
                "POST",
                "/2015-03-31/functions",
                &json!({
                    "FunctionName": format!("order-{name}"),
                    "Runtime": "provided.al2023",
                    "Role": "arn:aws:iam::000000000000:role/order",
                    "Handler": "bootstrap",
                    "Code": { "ZipFile": code },
                    "Timeout": 30,
                    "MemorySize": 256,
                    "Environment": { "Variables": variables },
                }),
            );
            (name.to_owned(), made["FunctionArn"].as_str().unwrap().to_owned())
        };
        own.chain(HOST).map(make).collect()
    }

    /// Connects the functions with the queues, and the relay with `stream`.
    fn mappings(&self, functions: &BTreeMap<String, String>, stream: &str) {
        let map = |function: &str, source: &str, more: Value| {
            let mut mapping = json!({
                "EventSourceArn": source,
                "FunctionName": functions[function],
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            });
            mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let path = "/2015-03-31/event-source-mappings/";
            self.ministack.rest("lambda", "POST", path, &mapping);
        };
        for (function, queue) in &self.queues {
            map(function, queue, json!({ "BatchSize": 10 }));
        }
        map("relay", stream, json!({ "BatchSize": 100, "StartingPosition": "TRIM_HORIZON" }));
    }

    /// Makes the HTTP API, with a route to each function that is asked. Returns where it is.
    fn api(&self, functions: &BTreeMap<String, String>) -> String {
        let make = |path: &str, body: Value| self.ministack.rest("apigateway", "POST", path, &body);
        let api = make("/v2/apis", json!({ "name": "order", "protocolType": "HTTP" }));
        let api = api["apiId"].as_str().unwrap();
        let mut routes = vec![("$default".to_owned(), "api")];
        for function in self.of(|function| function["kind"] == "command") {
            let name = function["name"].as_str().unwrap();
            routes.push((format!("POST /{name}/{{id}}/{{command}}"), name));
            routes.push((format!("GET /{name}/{{id}}"), name));
        }
        for function in self.of(|function| function["kind"] == "query") {
            let name = function["name"].as_str().unwrap();
            routes.extend([(format!("GET /{name}"), name), (format!("POST /{name}"), name)]);
        }
        for (route, function) in routes {
            let integration = make(
                &format!("/v2/apis/{api}/integrations"),
                json!({
                    "integrationType": "AWS_PROXY",
                    "integrationUri": functions[function],
                    "payloadFormatVersion": "2.0",
                }),
            );
            let target = format!("integrations/{}", integration["integrationId"].as_str().unwrap());
            let route = json!({ "routeKey": route, "target": target });
            make(&format!("/v2/apis/{api}/routes"), route);
        }
        let stage = json!({ "stageName": "$default", "autoDeploy": true });
        make(&format!("/v2/apis/{api}/stages"), stage);
        format!("{}/_aws/execute-api/{api}/$default", self.ministack.url())
    }
}
