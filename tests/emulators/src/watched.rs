use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts what its arguments say, and ends it when its input ends: with this process, however that
/// ends.
const WATCH: &str = r#""$@" </dev/null & process=$!; cat >/dev/null; kill "$process"; wait"#;

/// A program at work, which ends with its holder, and with this process at the latest.
#[derive(Debug)]
pub(crate) struct Watched(Child);

impl Watched {
    /// Starts `program`; what it says goes to the file `log`.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> io::Result<Self> {
        let log = File::create(log)?;
        let started = Command::new("sh")
            .args(["-c", WATCH, "watch"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self(started))
    }
}

impl Drop for Watched {
    /// Ends its input, and waits until it has ended.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
