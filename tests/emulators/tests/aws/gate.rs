use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// When the one who asks is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Nobody is asked.
    BeforeTheRequest,
    /// The request has taken effect, and its answer is lost.
    BeforeTheAnswer,
}

/// The way of one function to a service. Whoever takes it can be killed in the midst of a request.
#[derive(Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    /// Where the way begins.
    url: String,
    /// The host and port where it ends.
    service: String,
    /// What the requests are for that are killed at, such as `AWSEvents.PutEvents`.
    target: &'static str,
    /// The kills to come.
    kills: Mutex<VecDeque<Kill>>,
    /// Kills whoever takes the way.
    kill: Box<dyn Fn() + Send + Sync>,
}

impl Gate {
    /// A way to the service at `url`, on which `kill` kills the function that takes it.
    pub(crate) fn new(
        url: &str,
        target: &'static str,
        kill: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inner = Arc::new(Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            service: url.trim_start_matches("http://").to_owned(),
            target,
            kills: Mutex::default(),
            kill: Box::new(kill),
        });
        let gate = Self { inner: inner.clone() };
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = inner.clone();
                std::thread::spawn(move || inner.serve(stream));
            }
        });
        gate
    }

    /// Where the way begins.
    pub(crate) fn url(&self) -> &str {
        &self.inner.url
    }

    /// Lets the next requests come to these ends.
    pub(crate) fn kill_at(&self, kills: &[Kill]) {
        self.inner.kills().extend(kills);
    }

    /// How many kills are still to come.
    pub(crate) fn kills_left(&self) -> usize {
        self.inner.kills().len()
    }
}

impl Inner {
    fn kills(&self) -> std::sync::MutexGuard<'_, VecDeque<Kill>> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes requests on until one side ends the connection.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut asking = BufReader::new(stream.try_clone()?);
        let mut answering = stream;
        while let Some(request) = message(&mut asking)? {
            let head = String::from_utf8_lossy(&request);
            let kill = head.contains(self.target).then(|| self.kills().pop_front()).flatten();
            if kill == Some(Kill::BeforeTheRequest) {
                (self.kill)();
                return Ok(());
            }
            let mut service = TcpStream::connect(&self.service)?;
            service.write_all(&request)?;
            let answer = message(&mut BufReader::new(service))?;
            if kill == Some(Kill::BeforeTheAnswer) {
                (self.kill)();
                return Ok(());
            }
            let Some(answer) = answer else { return Ok(()) };
            answering.write_all(&answer)?;
        }
        Ok(())
    }
}

/// The next message of HTTP, as it is; `None` at the end.
fn message(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let (mut message, mut length) = (vec![], 0);
    loop {
        let start = message.len();
        if stream.read_until(b'\n', &mut message)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&message[start..]).to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        assert!(!line.starts_with("transfer-encoding:"), "nobody here sends in chunks");
        if line.trim().is_empty() {
            break;
        }
    }
    stream.take(length).read_to_end(&mut message)?;
    Ok(Some(message))
}
