use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Missing, installed};

/// Where everything is said to be.
pub const REGION: &str = "eu-central-1";

/// How long it may take to start, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// An AWS on this machine, empty, which ends with its holder. Its functions of Lambda are processes
/// on this machine as well.
#[derive(Debug)]
pub struct Ministack {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Ministack {
    /// Whether it can be started.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is not installed.
    pub fn find() -> Result<PathBuf, Missing> {
        installed("ministack", "ministack")
    }

    /// Starts the one at `program`, and waits until it answers. What it says goes to a file in
    /// `folder`, and so does what its functions need.
    ///
    /// # Errors
    ///
    /// Those of the machine, and if it does not answer in time.
    pub fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = File::create(folder.join("ministack.log"))?;
        let process = Command::new(program)
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("LAMBDA_EXECUTOR", "local")
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("TMPDIR", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let ministack = Self { process, port, folder: folder.to_owned() };
        ministack.wait()?;
        Ok(ministack)
    }

    fn wait(&self) -> io::Result<()> {
        let start = Instant::now();
        while self.try_call("sqs", "POST", "/", Some("AmazonSQS.ListQueues"), &json!({})).is_err() {
            if start.elapsed() > START_MAX {
                let folder = self.folder.display();
                let message = format!("ministack does not answer; its log is in {folder}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks `service` for what `target` names, such as `AmazonSQS.CreateQueue`.
    ///
    /// # Panics
    ///
    /// If it does not do that.
    pub fn target(&self, service: &str, target: &str, body: &Value) -> Value {
        self.try_call(service, "POST", "/", Some(target), body)
            .unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    /// Makes the request `method` for `path` of `service`.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub fn rest(&self, service: &str, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(service, method, path, None, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(
        &self,
        service: &str,
        method: &str,
        path: &str,
        target: Option<&str>,
        body: &Value,
    ) -> Result<Value, Box<dyn std::error::Error>> {
        // It does not look at signatures, only at whose service is asked.
        let scope = format!("AKIDEXAMPLE/20260101/{REGION}/{service}/aws4_request");
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=0"
        );
        let form = if target.is_some() { "application/x-amz-json-1.0" } else { "application/json" };
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("authorization", signed)
            .header("x-amz-date", "20260101T000000Z")
            .header("content-type", form);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut response = agent.run(request.body(body.to_string())?)?;
        let text = response.body_mut().read_to_string()?;
        if !response.status().is_success() {
            return Err(format!("{}: {text}", response.status()).into());
        }
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }
}

impl Drop for Ministack {
    /// Asks it to end, so that it ends its functions as well, and ends it if it does not.
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        let start = Instant::now();
        while asked.as_ref().is_ok_and(|status| status.success()) && start.elapsed() < START_MAX {
            match self.process.try_wait() {
                Ok(None) => std::thread::sleep(PAUSE),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
