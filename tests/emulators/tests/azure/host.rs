use std::collections::HashMap;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skyfold::{Kind, Manifest};

use crate::package::Package;

/// How long a program may take to answer, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// A function of the package: a folder with what triggers it.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// What triggers it: its binding that comes in.
    pub(crate) trigger: Value,
}

impl Function {
    fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join("function.json")).ok()?;
        let json: Value = serde_json::from_str(&text).unwrap();
        let mut bindings = json["bindings"].as_array().unwrap().iter();
        let trigger = bindings.find(|binding| binding["direction"] == "in").unwrap().clone();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        Some(Self { name, trigger })
    }

    /// What triggers it, by name.
    pub(crate) fn kind(&self) -> &str {
        self.trigger["type"].as_str().unwrap()
    }

    /// What is posted to it for `brought`, and what is told of that ("Azure Functions custom
    /// handlers", "Request payload").
    pub(crate) fn invocation(&self, brought: &Value, metadata: Value) -> Value {
        let binding = self.trigger["name"].as_str().unwrap();
        json!({ "Data": { binding: brought }, "Metadata": metadata })
    }
}

/// A function app: a process of the program, which the Functions host has started and asks for
/// some of the package's functions. The others are switched off.
#[derive(Debug)]
pub(crate) struct FunctionApp {
    pub(crate) functions: Vec<Function>,
    command: Mutex<Command>,
    process: Mutex<Option<Child>>,
    url: String,
    pub(crate) client: reqwest::Client,
}

/// The functions that each function app runs, by the kinds of what the manifest names and by the
/// names of the host's own: as `deploy/azure` has it.
const APPS: [(&str, &[Kind], &[&str]); 4] = [
    ("asked", &[Kind::Query], &["api"]),
    ("commands", &[Kind::Command], &["commands", "poison"]),
    ("consumers", &[Kind::Projection, Kind::Saga], &[]),
    ("relay", &[Kind::Relay], &["sweep"]),
];

/// What a function of the manifest is called in the package.
pub(crate) fn named(name: &str) -> String {
    skyfold::host::plain_name(name)
}

/// The function apps that run `package`, with these `variables`, by their names.
pub(crate) fn start(
    package: &Package,
    manifest: &Manifest,
    variables: &[(&'static str, String)],
) -> HashMap<&'static str, FunctionApp> {
    let entries = std::fs::read_dir(&package.folder).unwrap();
    let functions = entries.filter_map(|entry| Function::read(&entry.unwrap().path()));
    let functions: Vec<_> = functions.collect();
    let host = std::fs::read_to_string(package.folder.join("host.json")).unwrap();
    let host: Value = serde_json::from_str(&host).unwrap();
    let handler = &host["customHandler"];
    assert_eq!(handler["enableForwardingHttpRequest"], true);
    let program =
        package.program(handler["description"]["defaultExecutablePath"].as_str().unwrap());
    let start = |(app, kinds, own): &(&'static str, &[Kind], &[&str])| {
        let of_the_app =
            manifest.functions.iter().filter(|function| kinds.contains(&function.kind));
        let of_the_app = of_the_app.map(|function| named(&function.name));
        let names: Vec<_> = own.iter().map(|name| (*name).to_owned()).chain(of_the_app).collect();
        let runs = names.iter().map(|name| {
            let found = functions.iter().find(|function| function.name == *name);
            found.unwrap_or_else(|| panic!("the package has {name}")).clone()
        });
        (*app, FunctionApp::start(app, &program, variables, runs.collect()))
    };
    APPS.iter().map(start).collect()
}

impl FunctionApp {
    fn start(
        name: &str,
        program: &Path,
        variables: &[(&'static str, String)],
        functions: Vec<Function>,
    ) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = program.with_file_name(format!("{name}.log"));
        let log = File::create(log).unwrap();
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(variables.iter().cloned())
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let app = Self {
            functions,
            command: Mutex::new(command),
            process: Mutex::default(),
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::new(),
        };
        app.restart();
        app
    }

    /// Kills the program if it runs, as a machine does that goes down, and starts it.
    pub(crate) fn restart(&self) {
        self.kill();
        let process = self.command.lock().unwrap().spawn().unwrap();
        *self.process.lock().unwrap() = Some(process);
        let start = Instant::now();
        let address = self.url.trim_start_matches("http://").to_owned();
        while std::net::TcpStream::connect(&address).is_err() {
            let ended = self.process.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < START_MAX, "no answer: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the program, as a machine does that goes down.
    pub(crate) fn kill(&self) {
        if let Some(mut process) = self.process.lock().unwrap().take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Where the program answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls `function` for what its trigger has brought. Returns whether it is done with.
    pub(crate) async fn fire(&self, function: &Function, brought: &Value, about: Value) -> bool {
        let invocation = function.invocation(brought, about).to_string();
        let request = self.client.post(format!("{}/{}", self.url, function.name));
        let request = request.header("content-type", "application/json; charset=utf-8");
        // A program that was killed answers nothing, or no more than a part.
        let Ok(answer) = request.body(invocation).send().await else { return false };
        let is_done = answer.status().is_success();
        let Ok(text) = answer.text().await else { return false };
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["Outputs"], json!({}), "{answer}");
        is_done
    }
}

impl Drop for FunctionApp {
    fn drop(&mut self) {
        self.kill();
    }
}
