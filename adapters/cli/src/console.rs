use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skyfold::{Error, ErrorKind, Result};
use tokio::sync::watch;

/// What a run reads from, writes to, and is stopped by: the process it runs in, or a test.
#[derive(Clone)]
pub struct Console {
    input: Arc<Mutex<dyn Read + Send>>,
    out: Arc<Mutex<dyn Write + Send>>,
    err: Arc<Mutex<dyn Write + Send>>,
    surface: Surface,
    stop: Stop,
}

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// A person, at once.
    Terminal,
    /// A file, a pipe or a test.
    Pipe,
}

#[derive(Clone, Debug)]
enum Stop {
    /// Ctrl-C or SIGTERM.
    Signals,
    /// The word of a test.
    Word(watch::Receiver<bool>),
}

/// What a captured run has written, and the means to stop it.
#[derive(Clone, Debug)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    stop: watch::Sender<bool>,
}

impl Console {
    /// The streams and signals of this process.
    pub fn process() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self {
            input: Arc::new(Mutex::new(io::stdin())),
            out: Arc::new(Mutex::new(io::stdout())),
            err: Arc::new(Mutex::new(io::stderr())),
            surface: if is_terminal { Surface::Terminal } else { Surface::Pipe },
            stop: Stop::Signals,
        }
    }

    /// One that keeps what is written, for a test to look at.
    pub fn captured() -> (Self, Captured) {
        let (out, err) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (stop, told) = watch::channel(false);
        let console = Self {
            input: Arc::new(Mutex::new(io::empty())),
            out: out.clone(),
            err: err.clone(),
            surface: Surface::Pipe,
            stop: Stop::Word(told),
        };
        (console, Captured { out, err, stop })
    }

    /// The same, reading from `input`.
    #[must_use]
    pub fn with_input(self, input: impl Read + Send + 'static) -> Self {
        Self { input: Arc::new(Mutex::new(input)), ..self }
    }

    /// The same, with its results written to `out`.
    #[must_use]
    pub fn with_out(self, out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(out)), ..self }
    }

    pub(crate) fn surface(&self) -> Surface {
        self.surface
    }

    /// Whether it is the process's own, whose log is the process's as well.
    pub(crate) fn is_process(&self) -> bool {
        matches!(self.stop, Stop::Signals)
    }

    /// Writes results: what the run is for.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        write(&mut *lock(&self.out), text)
    }

    /// Writes what is said about the results, which are elsewhere: on a failure nobody is left to
    /// be told.
    pub(crate) fn remark(&self, text: &str) {
        let _ = write(&mut *lock(&self.err), text);
    }

    /// Reads up to `bytes_max` of the input.
    pub(crate) fn read(&self, bytes_max: u64) -> io::Result<String> {
        let mut text = String::new();
        (&mut *lock(&self.input)).take(bytes_max).read_to_string(&mut text)?;
        Ok(text)
    }

    /// A future that ends when the run is to stop. It hears signals from this call on.
    pub(crate) fn stopped(&self) -> Result<Stopped> {
        match &self.stop {
            Stop::Signals => Ok(Box::pin(signals().map_err(|error| {
                let message = "the signals of this process cannot be heard";
                Error::new(ErrorKind::Unexpected, message).with_source(error)
            })?)),
            Stop::Word(word) => {
                let mut word = word.clone();
                Ok(Box::pin(async move {
                    // Nobody is left to give the word: that is a stop as well.
                    let _ = word.wait_for(|is_stopped| *is_stopped).await;
                }))
            }
        }
    }
}

/// Ends when a run is to stop.
pub(crate) type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

fn write(to: &mut dyn Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// A panic while writing leaves at worst half a line behind.
fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        // Without a handler the process just ends, which is a stop as well.
        let _ = tokio::signal::ctrl_c().await;
    })
}

impl Captured {
    /// The results written so far.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&lock(&self.out)).into_owned()
    }

    /// What was written about them so far: hints and errors.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&lock(&self.err)).into_owned()
    }

    /// Asks the run to stop, as Ctrl-C does.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { surface, stop, .. } = self;
        f.debug_struct("Console").field("surface", surface).field("stop", stop).finish()
    }
}
