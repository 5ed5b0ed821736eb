use skyfold::Result;
use skyfold::host::Variables;

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
    /// [`Invalid`](skyfold::ErrorKind::Invalid) if one of them is missing, and those of
    /// [`Clients::from_environment`] and of [`Azure::open`].
    pub async fn from_environment() -> Result<Self> {
        let Settings { cosmos, keys, names } = settings(&Variables::of_process())?;
        Self::open(Clients::from_environment(&cosmos, &keys).await?, names).await
    }
}

fn settings<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Result<Settings> {
    let [cosmos, keys_account, database, events, documents, keys, topic, queue] = variables
        .require([
            COSMOS_ENDPOINT,
            KEYS_ENDPOINT,
            DATABASE,
            EVENTS,
            DOCUMENTS,
            KEYS,
            TOPIC_ENDPOINT,
            QUEUE_URL,
        ])?;
    let names = Names { database, events, documents, keys, topic, queue };
    Ok(Settings { cosmos, keys: keys_account, names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_its_variable() {
        let variables = Variables::new(|name: &str| Some(name.to_lowercase()));
        let Settings { cosmos, keys, names } = settings(&variables).unwrap();
        assert_eq!([cosmos, keys], ["skyfold_cosmos_endpoint", "skyfold_keys_endpoint"]);
        let expected = Names {
            database: "skyfold_database".into(),
            events: "skyfold_events".into(),
            documents: "skyfold_documents".into(),
            keys: "skyfold_keys".into(),
            topic: "skyfold_topic_endpoint".into(),
            queue: "skyfold_queue_url".into(),
        };
        assert_eq!(names, expected);
        assert!(settings(&Variables::new(|_: &str| None)).is_err());
    }
}
