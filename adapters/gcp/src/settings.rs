use skyfold::Result;
use skyfold::host::Variables;

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
    /// [`Invalid`](skyfold::ErrorKind::Invalid) if one of them is missing, and those of
    /// [`Clients::from_environment`].
    pub async fn from_environment() -> Result<Self> {
        let names = names(&Variables::of_process())?;
        Ok(Self::new(Clients::from_environment().await?, names))
    }
}

fn names<F: Fn(&str) -> Option<String>>(variables: &Variables<F>) -> Result<Names> {
    let [database, keys, topic, queue, url, account] =
        variables.require([DATABASE, KEYS_DATABASE, TOPIC, QUEUE, TARGET_URL, TARGET_ACCOUNT])?;
    let immediate = variables.get(IMMEDIATE_TOPIC);
    let target = Target { url, account: Some(account) };
    Ok(Names { database, keys, topic, immediate, queue, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_its_variable() {
        let read = |name: &str| (name != IMMEDIATE_TOPIC).then(|| name.to_lowercase());
        let found = names(&Variables::new(read)).unwrap();
        let Names { database, keys, topic, immediate, queue, target } = found;
        let expected = ["skyfold_database", "skyfold_keys_database", "skyfold_topic"];
        assert_eq!([database, keys, topic], expected);
        assert_eq!((queue.as_str(), immediate), ("skyfold_queue", None));
        assert_eq!(target.url, "skyfold_target_url");
        assert_eq!(target.account.as_deref(), Some("skyfold_target_account"));
        assert!(names(&Variables::new(|_: &str| None)).is_err());
    }
}
