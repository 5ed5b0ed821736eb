use std::env;

use skyfold::{Error, ErrorKind, Result};

use crate::clients::Clients;
use crate::gcp::{Gcp, Names};
use crate::queue::Target;

/// The variable that names the database of streams and documents.
const DATABASE: &str = "SKYFOLD_DATABASE";

/// The variable that names the database of the keys of personal data.
const KEYS_DATABASE: &str = "SKYFOLD_KEYS_DATABASE";

/// The variable that names the topic of events.
const TOPIC: &str = "SKYFOLD_TOPIC";

/// The variable that names the topic of commands that are to run at once. It may be unset.
const IMMEDIATE_TOPIC: &str = "SKYFOLD_IMMEDIATE_TOPIC";

/// The variable that names the queue of commands.
const QUEUE: &str = "SKYFOLD_QUEUE";

/// The variable that holds the URL to which the queue delivers.
const TARGET_URL: &str = "SKYFOLD_TARGET_URL";

/// The variable that names the account whose token the queue brings along.
const TARGET_ACCOUNT: &str = "SKYFOLD_TARGET_ACCOUNT";

impl Gcp {
    /// The ports on the resources that the environment names, each in full, reached by
    /// [`Clients::from_environment`]:
    ///
    /// - `SKYFOLD_DATABASE` and `SKYFOLD_KEYS_DATABASE`, the databases;
    /// - `SKYFOLD_TOPIC`, the topic of events, and `SKYFOLD_IMMEDIATE_TOPIC`, that of commands to
    ///   run at once, if there is one;
    /// - `SKYFOLD_QUEUE`, the queue of commands, `SKYFOLD_TARGET_URL`, where it delivers them, and
    ///   `SKYFOLD_TARGET_ACCOUNT`, the account whose token it brings along.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if one of them is missing, and those of
    /// [`Clients::from_environment`].
    pub async fn from_environment() -> Result<Self> {
        let names = names(|name| env::var(name).ok())?;
        Ok(Self::new(Clients::from_environment().await?, names))
    }
}

fn names(read: impl Fn(&str) -> Option<String>) -> Result<Names> {
    let read = |name: &str| read(name).filter(|value| !value.is_empty());
    let variables = [DATABASE, KEYS_DATABASE, TOPIC, QUEUE, TARGET_URL, TARGET_ACCOUNT];
    let missing: Vec<_> = variables.into_iter().filter(|name| read(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("the environment does not set {}", missing.join(", "));
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let value = |name| read(name).unwrap_or_default();
    Ok(Names {
        database: value(DATABASE),
        keys: value(KEYS_DATABASE),
        topic: value(TOPIC),
        immediate: read(IMMEDIATE_TOPIC),
        queue: value(QUEUE),
        target: Target { url: value(TARGET_URL), account: read(TARGET_ACCOUNT) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_all_at_once() {
        let error = names(|name| (name == TOPIC).then(|| "t".to_owned())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for name in [DATABASE, KEYS_DATABASE, QUEUE, TARGET_URL, TARGET_ACCOUNT] {
            assert!(error.message().contains(name), "{error}");
        }
        for name in [TOPIC, IMMEDIATE_TOPIC] {
            assert!(!error.message().contains(name), "{error}");
        }
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(names(|_| Some(String::new())).is_err());
        let read = |name: &str| (name != IMMEDIATE_TOPIC).then(|| name.to_lowercase());
        let names = names(read).unwrap();
        assert_eq!((names.queue.as_str(), names.immediate), ("skyfold_queue", None));
    }
}
