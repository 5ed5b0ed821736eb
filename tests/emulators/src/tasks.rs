use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::watched::Watched;
use crate::{Missing, installed};

/// How long it may take to start, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// A Cloud Tasks on this machine, without queues at first, which ends with its holder, and with
/// this process at the latest.
///
/// It is nobody's own: a stub that its authors call alpha. It delivers at the time a task says, and
/// again at once what failed. It takes a second task of one name, can neither show nor delete one,
/// brings no token, and looks at nobody's.
#[derive(Debug)]
pub struct CloudTasks {
    _watched: Watched,
    port: u16,
}

impl CloudTasks {
    /// Whether it can be started.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is not installed.
    pub fn find() -> Result<PathBuf, Missing> {
        installed("gcloud-tasks", "gcloud-tasks-emulator")
    }

    /// Starts the one at `program`, and waits until it answers. What it says goes to a file in
    /// `folder`.
    ///
    /// # Errors
    ///
    /// Those of the machine, and if it does not answer in time.
    pub fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = folder.join("cloud-tasks.log");
        let arguments = ["start", "--port", &port.to_string()].map(str::to_owned);
        let watched = Watched::start(program, &arguments, &log)?;
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if start.elapsed() > START_MAX {
                let message = format!("it does not answer; see {}", log.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(Self { _watched: watched, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
