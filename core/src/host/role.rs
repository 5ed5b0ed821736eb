use crate::{Error, ErrorKind, Manifest, Result};

/// The function that answers all of HTTP.
const API: &str = "api";

/// The function that takes commands from the queue, whatever their category.
const COMMANDS: &str = "commands";

/// The function that a schedule calls.
const SWEEP: &str = "sweep";

/// Which of the app's functions one function of a cloud is.
///
/// - The name of a function of the app: it takes what its trigger brings.
/// - `api`: it answers all of HTTP.
/// - `commands`: it takes commands from the queue, of every category.
/// - `sweep`: a schedule calls it, and it looks for what the others have missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// All of them, as far as they are asked over HTTP.
    Api,
    /// Whichever takes a command that was queued.
    Commands,
    /// None: it looks for what the others have missed.
    Sweep,
    /// The one of this name.
    Function(String),
}

impl Role {
    /// The role called `name` in the app of `manifest`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if there is no such function,
    /// [`Invalid`](ErrorKind::Invalid) if the app has one whose name is the host's own.
    pub fn of(manifest: &Manifest, name: &str) -> Result<Self> {
        let taken = [API, COMMANDS, SWEEP].into_iter().find(|own| manifest.function(own).is_some());
        if let Some(taken) = taken {
            let message = format!("a function of the app is named {taken}, which is the host's");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        match name {
            API => Ok(Self::Api),
            COMMANDS => Ok(Self::Commands),
            SWEEP => Ok(Self::Sweep),
            name if manifest.function(name).is_some() => Ok(Self::Function(name.to_owned())),
            name => Err(unknown(manifest, name)),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Api => API,
            Self::Commands => COMMANDS,
            Self::Sweep => SWEEP,
            Self::Function(name) => name,
        }
    }
}

fn unknown(manifest: &Manifest, name: &str) -> Error {
    let functions = manifest.functions.iter().map(|function| function.name.as_str());
    let known: Vec<_> = functions.chain([API, COMMANDS, SWEEP]).collect();
    let message =
        format!("the app {} has no function {name:?}, but {}", manifest.app, known.join(", "));
    Error::new(ErrorKind::NotFound, message)
}
