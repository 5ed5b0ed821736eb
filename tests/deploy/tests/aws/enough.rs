//! Whether the rights are enough: the app runs, each function with what its own policy grants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use conformance::faults::{Fault, Request, Tap, tapped};
use deploy::{Resources, Tools};
use skyfold::ports::{FeedQuery, Order, QueuedCommand};
use skyfold::{
    CloudEvent, CommandId, CommandRequest, Error, ErrorKind, Kind, ListRequest, Manifest, Metadata,
    Payload, QueryRequest, Reply, Runtime, Trigger, ViewRequest,
};
use skyfold_memory::{Memory, VirtualClock};

use crate::made;
use crate::rights::{BUS, DOCUMENTS, EVENTS, FEED, KEYS, LISTS, QUEUE, Right, rights_of};

/// How many rounds the app may take to come to rest.
const ROUNDS_MAX: usize = 100;

/// What has left the functions, and what they were not allowed to do.
#[derive(Debug, Default)]
struct Seen {
    announced: Vec<CloudEvent>,
    sent: Vec<QueuedCommand>,
    denied: BTreeSet<String>,
}

/// The policy of one function, asked before each request.
#[derive(Debug)]
struct Policy {
    name: String,
    rights: Vec<Right>,
    seen: Arc<Mutex<Seen>>,
}

#[async_trait]
impl Tap for Policy {
    async fn meet(&self, request: Request<'_>, _nth: usize) -> Option<Fault> {
        let mut seen = self.seen.lock().unwrap();
        for (action, on, key) in needed(&request) {
            let grants = |right: &&Right| {
                right.action == action && right.on == on && matches(&right.keys, &key)
            };
            if !self.rights.iter().any(|right| grants(&right)) {
                seen.denied.insert(format!("{} may not {action} {on} {key}", self.name));
                return Some(Fault::Before(ErrorKind::Denied));
            }
        }
        match request {
            Request::Publish(event) => seen.announced.push(event.clone()),
            Request::Send(command) => seen.sent.push(command.clone()),
            _ => {}
        }
        None
    }
}

fn matches(patterns: &[String], key: &str) -> bool {
    let matches = |pattern: &String| match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == pattern,
    };
    patterns.is_empty() || patterns.iter().any(matches)
}

/// What the adapter asks of AWS for `request`: the action, on what, and with which partition key.
fn needed(request: &Request<'_>) -> Vec<(&'static str, &'static str, String)> {
    let stream = |action, stream: &dyn ToString| vec![(action, EVENTS, stream.to_string())];
    let get = |count| if count == 1 { "dynamodb:GetItem" } else { "dynamodb:BatchGetItem" };
    let plain = |action, on| vec![(action, on, String::new())];
    match request {
        Request::Append(head, _) => stream("dynamodb:PutItem", head.stream()),
        Request::Read(name, ..) => stream("dynamodb:Query", name),
        Request::Snapshot(name) => stream("dynamodb:GetItem", name),
        Request::SaveSnapshot(name, _) => stream("dynamodb:PutItem", name),
        Request::Feed(..) | Request::Latest => plain("dynamodb:Query", FEED),
        Request::Get(keys) => keys
            .iter()
            .map(|key| (get(keys.len()), DOCUMENTS, format!("{}#0", key.collection)))
            .collect(),
        Request::Write(write) => {
            let delete = write.body.is_none();
            let action = if delete { "dynamodb:DeleteItem" } else { "dynamodb:PutItem" };
            vec![(action, DOCUMENTS, format!("{}#0", write.key.collection))]
        }
        Request::List(query) => {
            vec![("dynamodb:Query", LISTS, format!("{}#{}", query.collection, query.under))]
        }
        Request::Scan(query) => {
            vec![("dynamodb:Query", DOCUMENTS, format!("{}#0", query.collection))]
        }
        Request::Publish(_) => plain("events:PutEvents", BUS),
        Request::Send(_) => plain("sqs:SendMessage", QUEUE),
        Request::Keys(subjects) => plain(get(subjects.len()), KEYS),
        Request::CreateKey(..) => plain("dynamodb:UpdateItem", KEYS),
        Request::DestroyKeys(_) => plain("dynamodb:PutItem", KEYS),
    }
}

/// The app, as many functions of Lambda.
struct Deployed {
    memory: Memory,
    clock: VirtualClock,
    manifest: Manifest,
    functions: BTreeMap<String, Runtime>,
    seen: Arc<Mutex<Seen>>,
    announced: BTreeSet<String>,
}

impl Deployed {
    /// With the rights that the policies of `made` grant, less those that `is_withheld` says.
    fn new(made: &Resources, is_withheld: impl Fn(&str, &Right) -> bool) -> Self {
        let (clock, seen) = (VirtualClock::new(), Arc::<Mutex<Seen>>::default());
        let memory = Memory::with_clock(clock.clone());
        let mut functions = BTreeMap::new();
        for policy in made.of_name("aws_iam_role_policy", "function") {
            let name = policy.index.clone();
            let mut rights = rights_of(made, &policy.values);
            rights.retain(|right| !is_withheld(&name, right));
            let policy = Policy { name: name.clone(), rights, seen: seen.clone() };
            let ports = tapped(memory.ports(), Arc::new(policy));
            functions.insert(name, order::app().bind(ports).unwrap());
        }
        let manifest = order::app().manifest();
        Self { memory, clock, manifest, functions, seen, announced: BTreeSet::new() }
    }

    async fn call(&self, function: &str, name: &str, trigger: Trigger) -> Reply {
        let outcome = self.functions[function].invoke(name, trigger).await;
        match outcome {
            Ok(reply) => reply,
            Err(error) => panic!("{function}: {error}, {:?}", self.seen.lock().unwrap().denied),
        }
    }

    async fn give(&self, category: &str, id: &str, command: &str) {
        let request = CommandRequest {
            stream: id.parse().unwrap(),
            id: CommandId::fresh(skyfold::ports::Clock::now(&self.clock)),
            command: Payload::parse(command).unwrap(),
            expected: None,
            metadata: Metadata::default(),
        };
        let reply = self.call(category, category, Trigger::Command(request)).await;
        assert!(matches!(reply, Reply::Accepted(_)), "{command}: {reply:?}");
    }

    /// What has left the functions since the last time.
    fn left(&self) -> (Vec<CloudEvent>, Vec<QueuedCommand>) {
        let mut seen = self.seen.lock().unwrap();
        (std::mem::take(&mut seen.announced), std::mem::take(&mut seen.sent))
    }

    /// Announces, delivers and runs commands until nothing is left, timers included.
    async fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let relayed = self.relay().await;
            let (announced, sent) = self.left();
            if !relayed && announced.is_empty() && sent.is_empty() {
                return;
            }
            self.deliver(announced).await;
            for command in sent {
                let category = command.category.clone();
                if let Some(due) = command.due {
                    self.clock.advance_to(due);
                }
                self.call("commands", &category, Trigger::Queued(command)).await;
            }
        }
        panic!("nothing came to rest in {ROUNDS_MAX} rounds");
    }

    async fn relay(&mut self) -> bool {
        let feed = self.memory.ports().feed;
        let mut commits = vec![];
        for slice in 0..feed.slices() {
            let mut from = None;
            loop {
                let page = feed.read(slice, &FeedQuery::default(), from.as_ref()).await.unwrap();
                commits.extend(page.commits);
                if page.is_tail {
                    break;
                }
                from = Some(page.next);
            }
        }
        commits
            .retain(|commit| self.announced.insert(format!("{}@{}", commit.stream, commit.first)));
        let is_news = !commits.is_empty();
        if is_news {
            let reply = self.call("relay", "relay", Trigger::Commits(commits)).await;
            assert!(matches!(&reply, Reply::Handled(failed) if failed.is_empty()), "{reply:?}");
        }
        is_news
    }

    async fn deliver(&self, announced: Vec<CloudEvent>) {
        for event in announced {
            let category = event.subject.category().to_owned();
            let hears = self.manifest.functions.iter().filter(|f| f.hears.contains(&category));
            for function in hears {
                let event = event.clone().by_reference().into_announced().unwrap();
                let name = &function.name;
                let reply = self.call(name, name, Trigger::Events(vec![event])).await;
                assert!(matches!(&reply, Reply::Handled(failed) if failed.is_empty()), "{reply:?}");
            }
        }
    }
}

pub(crate) fn rights(tools: &Tools) {
    let made = made(tools);
    run(async {
        let mut deployed = Deployed::new(made, |_, _| false);
        let line =
            |product| format!(r#"{{"product":"{product}","quantity":2,"unitPrice":"9.95"}}"#);
        for product in ["mug", "kettle"] {
            deployed.give("stock", product, r#"{"Receive":{"quantity":3}}"#).await;
        }
        for id in ["1", "2"] {
            let lines = format!("[{},{}]", line("mug"), line("kettle"));
            let basket = format!(r#"{{"currency":"GBP","customer":"ada","lines":{lines}}}"#);
            deployed.give("order", id, &format!(r#"{{"Place":{basket}}}"#)).await;
            deployed.settle().await;
        }
        deployed.give("order", "1", r#"{"Cancel":{"reason":"changed my mind"}}"#).await;
        deployed.settle().await;
        set_aside(&deployed).await;
        ask(&deployed).await;
        let denied = &deployed.seen.lock().unwrap().denied;
        assert!(denied.is_empty(), "{denied:#?}");
    });
}

/// Gives up an event and a command, as the host does.
async fn set_aside(deployed: &Deployed) {
    deployed.give("stock", "lantern", r#"{"Receive":{"quantity":3}}"#).await;
    let error = Error::new(ErrorKind::Corrupt, "poison");
    let event = "stock-lantern@1".parse().unwrap();
    let letters = deployed.functions["stock-level"].dead_letters();
    letters.give_up("stock-level", &event, &error).await.unwrap();
    let letters = deployed.functions["fulfilment"].dead_letters();
    letters.give_up("fulfilment", &event, &error).await.unwrap();
    let request = CommandRequest {
        stream: "9".parse().unwrap(),
        id: CommandId::fresh(skyfold::ports::Clock::now(&deployed.clock)),
        command: Payload::parse(r#""Nonsense""#).unwrap(),
        expected: None,
        metadata: Metadata::default(),
    };
    let queued = QueuedCommand { category: "order".into(), request, due: None, timer: None };
    let letters = deployed.functions["commands"].dead_letters();
    letters.give_up_command(&queued, &error).await.unwrap();
}

/// Asks every query, views and lists of every projection, states and health.
async fn ask(deployed: &Deployed) {
    let questions = [
        ("show-order", r#"{"order":"1"}"#),
        ("order-history", r#"{"customer":"ada"}"#),
        ("stock-of", r#"{"product":"mug"}"#),
        ("latest-sales", "{}"),
        ("low-stock", "{}"),
        ("sales-of", r#"{"product":"mug"}"#),
    ];
    for (query, params) in questions {
        let request = QueryRequest { params: Payload::parse(params).unwrap(), after: None };
        deployed.call(query, query, Trigger::Query(request)).await;
    }
    for projection in deployed.manifest.of(Kind::Projection) {
        // A view that is missing is an answer too: what counts is that it may be looked for.
        let view = ViewRequest { key: "mug".into(), after: None };
        let _ = deployed.functions["api"].invoke(&projection.name, Trigger::View(view)).await;
        for list in projection.lists.clone() {
            let (under, order) = (String::new(), Order::Ascending);
            let list = ListRequest { list, under, order, limit: 9, cursor: None, after: None };
            let _ = deployed.functions["api"].invoke(&projection.name, Trigger::List(list)).await;
        }
    }
    let state = Trigger::State("1".parse().unwrap(), skyfold::AsOf::Now);
    deployed.call("order", "order", state).await;
    deployed.functions["api"].health().await.unwrap();
}

/// A right that is withheld is missed: the run above can fail.
pub(crate) fn missed(tools: &Tools) {
    let made = made(tools);
    run(async {
        let is_withheld =
            |name: &str, right: &Right| name == "stock-level" && right.action == "dynamodb:PutItem";
        let deployed = Deployed::new(made, is_withheld);
        deployed.give("stock", "mug", r#"{"Receive":{"quantity":3}}"#).await;
        let event = skyfold::Announced::Reference("stock-mug@1".parse().unwrap());
        let heard = Trigger::Events(vec![event]);
        let reply = deployed.functions["stock-level"].invoke("stock-level", heard).await;
        let denied = deployed.seen.lock().unwrap().denied.clone();
        assert!(denied.iter().any(|denied| denied.contains("stock-level.1#0")), "{reply:?}");
    });
}

/// Has `work` of the app end in time. Terraform has made everything before: it may take longer.
fn run(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let in_time =
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), work).await });
    in_time.unwrap();
}
