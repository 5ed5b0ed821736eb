use std::env;

use skyfold::{Error, ErrorKind, Result};

use crate::azure::{Azure, Names};
use crate::clients::Clients;

/// The variable that holds the endpoint of the account that keeps streams and documents.
const COSMOS_ENDPOINT: &str = "SKYFOLD_COSMOS_ENDPOINT";

/// The variable that holds the endpoint of the account that keeps the keys of personal data.
const KEYS_ENDPOINT: &str = "SKYFOLD_KEYS_ENDPOINT";

/// The variable that names the database, which is called the same in both accounts.
const DATABASE: &str = "SKYFOLD_DATABASE";

/// The variable that names the container of events.
const EVENTS: &str = "SKYFOLD_EVENTS";

/// The variable that names the container of documents.
const DOCUMENTS: &str = "SKYFOLD_DOCUMENTS";

/// The variable that names the container of the keys of personal data.
const KEYS: &str = "SKYFOLD_KEYS";

/// The variable that holds the endpoint of the topic of Event Grid.
const TOPIC_ENDPOINT: &str = "SKYFOLD_TOPIC_ENDPOINT";

/// The variable that holds the URL of the queue of commands.
const QUEUE_URL: &str = "SKYFOLD_QUEUE_URL";

/// What the environment names.
#[derive(Debug)]
struct Settings {
    cosmos: String,
    keys: String,
    names: Names,
}

impl Azure {
    /// The ports on the resources that the environment names, reached by
    /// [`Clients::from_environment`]:
    ///
    /// - `SKYFOLD_COSMOS_ENDPOINT` and `SKYFOLD_KEYS_ENDPOINT`, the accounts of Cosmos DB for data
    ///   and for keys: `https://order.documents.azure.com`;
    /// - `SKYFOLD_DATABASE`, the database, and `SKYFOLD_EVENTS`, `SKYFOLD_DOCUMENTS` and
    ///   `SKYFOLD_KEYS`, the containers;
    /// - `SKYFOLD_TOPIC_ENDPOINT`, the topic of Event Grid;
    /// - `SKYFOLD_QUEUE_URL`, the queue of commands.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if one of them is missing, and those of
    /// [`Clients::from_environment`] and of [`Azure::open`].
    pub async fn from_environment() -> Result<Self> {
        let Settings { cosmos, keys, names } = settings(|name| env::var(name).ok())?;
        Self::open(Clients::from_environment(&cosmos, &keys).await?, names).await
    }
}

fn settings(read: impl Fn(&str) -> Option<String>) -> Result<Settings> {
    let read = |name: &str| read(name).filter(|value| !value.is_empty());
    let variables = [
        COSMOS_ENDPOINT,
        KEYS_ENDPOINT,
        DATABASE,
        EVENTS,
        DOCUMENTS,
        KEYS,
        TOPIC_ENDPOINT,
        QUEUE_URL,
    ];
    let missing: Vec<_> = variables.into_iter().filter(|name| read(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("the environment does not set {}", missing.join(", "));
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let value = |name| read(name).unwrap_or_default();
    let names = Names {
        database: value(DATABASE),
        events: value(EVENTS),
        documents: value(DOCUMENTS),
        keys: value(KEYS),
        topic: value(TOPIC_ENDPOINT),
        queue: value(QUEUE_URL),
    };
    Ok(Settings { cosmos: value(COSMOS_ENDPOINT), keys: value(KEYS_ENDPOINT), names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_all_at_once() {
        let error = settings(|name| (name == EVENTS).then(|| "events".to_owned())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for name in [COSMOS_ENDPOINT, KEYS_ENDPOINT, DATABASE, DOCUMENTS, TOPIC_ENDPOINT, QUEUE_URL]
        {
            assert!(error.message().contains(name), "{error}");
        }
        assert!(!error.message().contains(EVENTS), "{error}");
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(settings(|_| Some(String::new())).is_err());
        let settings = settings(|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(settings.names.queue, "skyfold_queue_url");
        assert_eq!(settings.keys, "skyfold_keys_endpoint");
        assert_eq!(settings.names.keys, "skyfold_keys");
    }
}
