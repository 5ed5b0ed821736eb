use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Missing;
use crate::watched::Watched;

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

    /// Which release is installed, such as `1.19.9`: what it says itself, or what its program's
    /// name does.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is not installed.
    pub fn version(self) -> Result<String, Missing> {
        let program = self.find()?;
        let told = match self {
            Self::Firestore => {
                let mut ask = Command::new("java");
                ask.arg("-cp").arg(&program).args([self.main(), "--version"]);
                let output = ask.output().map_err(|_| self.missing())?;
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            Self::PubSub => program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let mut parts = told.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        let version = parts.find(|part| part.contains('.') && part.starts_with(char::is_numeric));
        Ok(version.unwrap_or(&told).to_owned())
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
    _watched: Watched,
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
        let own = ["-Duser.language=en", "-cp", &program.display().to_string(), emulator.main()];
        let mut all = vec![HEAP.to_owned()];
        all.extend(own.map(str::to_owned));
        all.extend(["--host=127.0.0.1".to_owned(), format!("--port={port}")]);
        all.extend_from_slice(arguments);
        let watched = Watched::start(Path::new("java"), &all, &path)?;
        let started = Self { _watched: watched, port };
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
