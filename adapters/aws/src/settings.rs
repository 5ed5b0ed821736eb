use std::env;

use skyfold::{Error, ErrorKind, Result};

use crate::aws::{Aws, Names};
use crate::clients::Clients;
use crate::events::Feed;

/// The variable that names the table of events.
const EVENTS_TABLE: &str = "SKYFOLD_EVENTS_TABLE";

/// The variable that names the table of documents.
const DOCUMENTS_TABLE: &str = "SKYFOLD_DOCUMENTS_TABLE";

/// The variable that names the table of the keys of personal data.
const KEYS_TABLE: &str = "SKYFOLD_KEYS_TABLE";

/// The variable that holds the name or the ARN of the event bus.
const BUS: &str = "SKYFOLD_BUS";

/// The variable that holds the URL of the queue of commands.
const QUEUE_URL: &str = "SKYFOLD_QUEUE_URL";

/// The variable that says how the feed is read: `index`, as it is unless it says otherwise, or
/// `scan`.
const FEED: &str = "SKYFOLD_FEED";

impl Aws {
    /// The ports on the resources that the environment names, reached by
    /// [`Clients::from_environment`]:
    ///
    /// - `SKYFOLD_EVENTS_TABLE`, `SKYFOLD_DOCUMENTS_TABLE` and `SKYFOLD_KEYS_TABLE`, the tables;
    /// - `SKYFOLD_BUS`, the event bus, by its name or its ARN;
    /// - `SKYFOLD_QUEUE_URL`, the queue of commands;
    /// - `SKYFOLD_FEED`, how the feed is [read](Feed): `index`, unless it is set, or `scan`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if one of them is missing, and those of
    /// [`Clients::from_environment`].
    pub async fn from_environment() -> Result<Self> {
        let read = |name: &str| env::var(name).ok();
        let (names, feed) = (names(read)?, feed(read)?);
        Ok(Self::new(Clients::from_environment().await?, names).with_feed(feed))
    }
}

fn names(read: impl Fn(&str) -> Option<String>) -> Result<Names> {
    let read = |name: &str| read(name).filter(|value| !value.is_empty());
    let variables = [EVENTS_TABLE, DOCUMENTS_TABLE, KEYS_TABLE, BUS, QUEUE_URL];
    let missing: Vec<_> = variables.into_iter().filter(|name| read(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!(
            "the environment does not set {}: they are outputs of the Terraform of the project",
            missing.join(", ")
        );
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let value = |name| read(name).unwrap_or_default();
    Ok(Names {
        events: value(EVENTS_TABLE),
        documents: value(DOCUMENTS_TABLE),
        keys: value(KEYS_TABLE),
        bus: value(BUS),
        queue: value(QUEUE_URL),
    })
}

fn feed(read: impl Fn(&str) -> Option<String>) -> Result<Feed> {
    match read(FEED).as_deref() {
        None | Some("" | "index") => Ok(Feed::Index),
        Some("scan") => Ok(Feed::Scan),
        Some(other) => {
            let message = format!("{FEED} is {other:?}: it is index or scan");
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_all_at_once() {
        let error = names(|name| (name == BUS).then(|| "order".to_owned())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for name in [EVENTS_TABLE, DOCUMENTS_TABLE, KEYS_TABLE, QUEUE_URL] {
            assert!(error.message().contains(name), "{error}");
        }
        assert!(!error.message().contains(BUS), "{error}");
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(names(|_| Some(String::new())).is_err());
        let names = names(|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(names.queue, "skyfold_queue_url");
    }

    #[test]
    fn the_feed_is_indexed_unless_it_is_said_otherwise() {
        let read = |text: &'static str| move |_: &str| Some(text.to_owned());
        assert_eq!(feed(|_| None).unwrap(), Feed::Index);
        assert_eq!(feed(read("scan")).unwrap(), Feed::Scan);
        assert_eq!(feed(read("Scan")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
