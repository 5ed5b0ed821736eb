use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Missing;

/// The crate that puts Microsoft's in-memory Cosmos DB on a port.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cosmos/Cargo.toml");

/// Where it is built.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/emulators/cosmos");

/// A signature of nothing: it looks whether there is one, and not at it.
const AUTHORIZATION: &str = "type%3Dmaster%26ver%3D1.0%26sig%3D0";

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
    /// Builds it, unless it is built already, and says where it is. The first time takes some
    /// minutes, and says so.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it cannot be built: Cargo is not there, or its registry.
    pub fn find() -> Result<PathBuf, Missing> {
        let program = Path::new(TARGET).join("debug/cosmos");
        if !program.is_file() {
            eprintln!("the emulator of Cosmos DB is built, once: it has a lock file of its own");
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--manifest-path", MANIFEST, "--target-dir"])
            .arg(TARGET)
            // What cargo tells a test about its own package is not about this one.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .status();
        match built {
            Ok(status) if status.success() => Ok(program),
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

    /// The items that were written to `partition` of a container since `from`, oldest first, and
    /// from where to ask next: its change feed ("List Documents", `A-IM`). The first 4 are 0 to 3.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub fn changes(
        &self,
        database: &str,
        container: &str,
        partition: u32,
        from: Option<&str>,
    ) -> io::Result<(Vec<serde_json::Value>, Option<String>)> {
        let url = format!("{}/dbs/{database}/colls/{container}/docs", self.url());
        let mut request = ureq::get(url)
            .header("x-ms-version", "2020-07-15")
            .header("authorization", AUTHORIZATION)
            .header("a-im", "Incremental Feed")
            .header("x-ms-documentdb-partitionkeyrangeid", partition.to_string());
        if let Some(from) = from {
            request = request.header("if-none-match", from);
        }
        let mut answer = request.call().map_err(io::Error::other)?;
        let next = answer.headers().get("etag").and_then(|etag| etag.to_str().ok());
        let next = next.or(from).map(str::to_owned);
        let body = answer.body_mut().read_to_string().map_err(io::Error::other)?;
        let mut page: serde_json::Value = match body.is_empty() {
            true => serde_json::Value::Null,
            false => serde_json::from_str(&body)?,
        };
        let items = page["Documents"].as_array_mut().map(std::mem::take);
        Ok((items.unwrap_or_default(), next))
    }

    /// Writes `item` to a container, whose partition key it has, whatever was there ("Create a
    /// document", `x-ms-documentdb-is-upsert`).
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub fn upsert(
        &self,
        database: &str,
        container: &str,
        partition: &str,
        item: &serde_json::Value,
    ) -> io::Result<()> {
        let request = ureq::post(format!("{}/dbs/{database}/colls/{container}/docs", self.url()))
            .header("x-ms-version", "2020-07-15")
            .header("authorization", AUTHORIZATION)
            .header("x-ms-documentdb-is-upsert", "True")
            .header("x-ms-documentdb-partitionkey", serde_json::json!([partition]).to_string());
        request.send_json(item).map_err(io::Error::other)?;
        Ok(())
    }

    /// Has it storm over `database` from now on, as follows from `seed`; 0 is calm. One request for
    /// items in twelve then meets something: 429, 503 or 408, a late answer, or a connection that
    /// ends before the request is carried out or after. After three in a row, the next meets none,
    /// and after 200 in all none does.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub fn storm(&self, database: &str, seed: u64) -> io::Result<()> {
        self.order(&format!("/-/storms/{database}/{seed}"))
    }

    /// How often requests for items of `database` met what since the first storm there, by what it
    /// is called; those that met nothing as `calm`.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub fn met(&self, database: &str) -> io::Result<BTreeMap<String, usize>> {
        let mut answer = ureq::get(format!("{}/-/storms/{database}", self.url()))
            .call()
            .map_err(io::Error::other)?;
        let said = answer.body_mut().read_to_string().map_err(io::Error::other)?;
        let met = said.lines().filter_map(|line| {
            let (what, times) = line.split_once(' ')?;
            Some((what.to_owned(), times.parse().ok()?))
        });
        Ok(met.collect())
    }

    /// Splits `partition` of a container in two, and returns when that is done. The first 4 are 0
    /// to 3.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub fn split(&self, database: &str, container: &str, partition: u32) -> io::Result<()> {
        self.order(&format!("/-/splits/{database}/{container}/{partition}"))
    }

    fn order(&self, path: &str) -> io::Result<()> {
        let order = ureq::post(format!("{}{path}", self.url()));
        order.send_empty().map_err(io::Error::other)?;
        Ok(())
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> io::Result<()> {
        let request = ureq::post(format!("{}{path}", self.url()))
            .header("x-ms-version", "2020-07-15")
            .header("authorization", AUTHORIZATION);
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
