use skyfold::host::Variables;
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
        let variables = Variables::of_process();
        let (names, feed) = (names(&variables)?, feed(&variables)?);
        Ok(Self::new(Clients::from_environment().await?, names).with_feed(feed))
    }
}

fn names<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Result<Names> {
    let [events, documents, keys, bus, queue] =
        variables.require([EVENTS_TABLE, DOCUMENTS_TABLE, KEYS_TABLE, BUS, QUEUE_URL])?;
    Ok(Names { events, documents, keys, bus, queue })
}

fn feed<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Result<Feed> {
    match variables.get(FEED).as_deref() {
        None | Some("index") => Ok(Feed::Index),
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
    fn each_name_is_that_of_its_variable() {
        let found = names(&Variables::new(|name: &str| Some(name.to_lowercase()))).unwrap();
        let Names { events, documents, keys, bus, queue } = found;
        let expected = [
            "skyfold_events_table",
            "skyfold_documents_table",
            "skyfold_keys_table",
            "skyfold_bus",
        ];
        assert_eq!([events, documents, keys, bus], expected);
        assert_eq!(queue, "skyfold_queue_url");
        assert!(names(&Variables::new(|_: &str| None)).is_err());
    }

    #[test]
    fn the_feed_is_indexed_unless_it_is_said_otherwise() {
        let of = |text: &'static str| feed(&Variables::new(move |_: &str| Some(text.to_owned())));
        assert_eq!(feed(&Variables::new(|_: &str| None)).unwrap(), Feed::Index);
        assert_eq!(of("").unwrap(), Feed::Index);
        assert_eq!(of("scan").unwrap(), Feed::Scan);
        assert_eq!(of("Scan").unwrap_err().kind(), ErrorKind::Invalid);
    }
}
