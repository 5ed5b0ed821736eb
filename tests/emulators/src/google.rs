use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Missing;

/// The environment variable that says where the Cloud SDK is, which has the emulators in its folder
/// `platform`.
pub const CLOUD_SDK: &str = "SKYFOLD_CLOUD_SDK";

/// Where the Cloud SDK's packages for Debian put it.
const PACKAGED: &str = "/usr/lib/google-cloud-sdk";

/// How long one may take to start, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// How much memory one may take for what it holds, all of which it holds in memory.
const HEAP: &str = "-Xmx1g";

/// Starts what its arguments say, and ends it when its input ends: with this process, however that
/// ends.
const WATCH: &str = r#""$@" </dev/null & process=$!; cat >/dev/null; kill "$process"; wait"#;

/// One of Google's own emulators, which its Cloud SDK brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoogleEmulator {
    /// Of Firestore.
    Firestore,
    /// Of Pub/Sub.
    PubSub,
}

impl GoogleEmulator {
    /// Where its program is.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is not installed.
    pub fn find(self) -> Result<PathBuf, Missing> {
        let root = std::env::var_os(CLOUD_SDK).map_or_else(|| PACKAGED.into(), PathBuf::from);
        let folder = root.join("platform").join(self.folder());
        let is_program = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("cloud-") && name.ends_with(".jar")
        };
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut programs = files.map(|file| file.path()).filter(is_program);
        let has_java = Command::new("java").arg("-version").stderr(Stdio::null()).status();
        let program = programs.next().filter(|_| has_java.is_ok_and(|status| status.success()));
        program.ok_or_else(|| self.missing())
    }

    fn missing(self) -> Missing {
        let (name, component) = match self {
            Self::Firestore => ("the emulator of Firestore", "cloud-firestore-emulator"),
            Self::PubSub => ("the emulator of Pub/Sub", "pubsub-emulator"),
        };
        let remedy = format!(
            "run gcloud components install {component}, with java in the path, and set {CLOUD_SDK} \
             to what gcloud info --format='value(installation.sdk_root)' says"
        );
        Missing { name: name.to_owned(), remedy }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Firestore => "cloud-firestore-emulator",
            Self::PubSub => "pubsub-emulator/lib",
        }
    }

    /// The class that the program starts with.
    fn main(self) -> &'static str {
        match self {
            Self::Firestore => "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
            Self::PubSub => "com.google.cloud.pubsub.testing.v1.Main",
        }
    }
}

/// One of Google's emulators at work, empty at first, which ends with its holder, and with this
/// process at the latest.
#[derive(Debug)]
pub struct Google {
    watch: Child,
    port: u16,
}

impl Google {
    /// Starts the `emulator` at `program` with these `arguments` more, and waits until it answers.
    /// What it says goes to a file in `folder`.
    ///
    /// # Errors
    ///
    /// Those of the machine, and if it does not answer in time.
    pub fn start(
        emulator: GoogleEmulator,
        program: &Path,
        folder: &Path,
        arguments: &[String],
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let path = folder.join(format!("{emulator:?}-{port}.log"));
        let log = File::create(&path)?;
        let watch = Command::new("sh")
            .args(["-c", WATCH, "watch", "java", HEAP, "-Duser.language=en", "-cp"])
            .arg(program)
            .args([emulator.main(), "--host=127.0.0.1", &format!("--port={port}")])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let started = Self { watch, port };
        let start = Instant::now();
        while !started.answers() {
            if start.elapsed() > START_MAX {
                let message = format!("{emulator:?} does not answer; see {}", path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(started)
    }

    fn answers(&self) -> bool {
        ureq::get(self.url()).call().is_ok()
    }

    /// Asks for what no client of the service can: `body`, as JSON, to its own `path`.
    ///
    /// # Errors
    ///
    /// If it is refused.
    pub fn post(&self, path: &str, body: &str) -> io::Result<()> {
        let request = ureq::post(format!("{}{path}", self.url()));
        request.content_type("application/json").send(body).map_err(io::Error::other)?;
        Ok(())
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Google {
    /// Ends its input, and waits until it has ended.
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}
