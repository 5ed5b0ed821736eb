use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Missing, installed};

/// The programs that use Microsoft's own clients.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/witness");

/// Microsoft's own clients in JavaScript, to tell what they make of what somebody else wrote.
#[derive(Clone, Debug)]
pub struct Witness {
    modules: PathBuf,
}

impl Witness {
    /// Whether they can be asked.
    ///
    /// # Errors
    ///
    /// [`Missing`] if they are not installed.
    pub fn find() -> Result<Self, Missing> {
        // A program that one of them brings stands for all.
        let program = installed("witness", "uuid")?;
        let place = program.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        Ok(Self { modules: place.join("node_modules") })
    }

    /// What the program `script` says, given `arguments` and the input `input`: JSON.
    ///
    /// # Errors
    ///
    /// If it fails, with what it says of that, or says no JSON; and those of the machine.
    pub fn ask(&self, script: &str, arguments: &[&str], input: &Value) -> io::Result<Value> {
        let mut process = Command::new("node")
            .arg(Path::new(SCRIPTS).join(script))
            .args(arguments.iter().map(OsStr::new))
            .env("NODE_PATH", &self.modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut to) = process.stdin.take() {
            to.write_all(input.to_string().as_bytes())?;
        }
        let output = process.wait_with_output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(io::Error::other)
    }
}
