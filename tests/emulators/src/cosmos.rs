use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Missing;

/// The crate that puts Microsoft's in-memory Cosmos DB on a port.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cosmos/Cargo.toml");

/// Where it is built.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/emulators/cosmos");

/// A Cosmos DB on this machine, empty at first, which ends with its holder, and with this process
/// at the latest.
///
/// It is the one that Microsoft tests its SDK with, in memory. It looks at no key, never forgets a
/// document whose time to live has passed, and takes ids that the service refuses.
#[derive(Debug)]
pub struct Cosmos {
    process: Child,
    port: u16,
}

impl Cosmos {
    /// Builds it, unless it is built already, and says where it is. The first time takes minutes.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it cannot be built: Cargo is not there, or its registry.
    pub fn find() -> Result<PathBuf, Missing> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--manifest-path", MANIFEST, "--target-dir"])
            .arg(TARGET)
            // What cargo tells a test about its own package is not about this one.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .status();
        match built {
            Ok(status) if status.success() => Ok(Path::new(TARGET).join("debug/cosmos")),
            _ => Err(Missing {
                name: "the emulator of Cosmos DB".to_owned(),
                remedy: format!(
                    "run cargo build --locked --manifest-path {MANIFEST} --target-dir {TARGET}"
                ),
            }),
        }
    }

    /// Starts the one at `program`, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Those of the machine, and if it ends before it answers.
    pub fn start(program: &Path) -> io::Result<Self> {
        let mut process =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let port = line.trim().strip_prefix("ready ").and_then(|port| port.parse().ok());
        match port {
            Some(port) => Ok(Self { process, port }),
            None => {
                let _ = process.kill();
                let _ = process.wait();
                Err(io::Error::other(format!("the emulator of Cosmos DB says {line:?}")))
            }
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes the database `name`.
    ///
    /// # Errors
    ///
    /// If there is one, or the emulator does not answer.
    pub fn create_database(&self, name: &str) -> io::Result<()> {
        self.post("/dbs", &serde_json::json!({ "id": name }))
    }

    /// Makes a container of `database` by `definition`, the body of a request for one ("Create a
    /// Collection").
    ///
    /// # Errors
    ///
    /// If there is one, or the emulator does not answer.
    pub fn create_container(
        &self,
        database: &str,
        definition: &serde_json::Value,
    ) -> io::Result<()> {
        self.post(&format!("/dbs/{database}/colls"), definition)
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> io::Result<()> {
        let request = ureq::post(format!("{}{path}", self.url()))
            .header("x-ms-version", "2020-07-15")
            // It looks at no signature, only for one.
            .header("authorization", "type%3Dmaster%26ver%3D1.0%26sig%3D0");
        request.send_json(body).map_err(io::Error::other)?;
        Ok(())
    }
}

impl Drop for Cosmos {
    /// Ends its input, and waits until it has ended.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
