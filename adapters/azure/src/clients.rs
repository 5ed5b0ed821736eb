use std::time::Duration;

use azure_data_cosmos::CosmosClient;
use skyfold::{Error, ErrorKind, Result};

use crate::access::Access;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// How long one request to Event Grid or Queue Storage may take. Every request here is answered
/// within milliseconds, or not at all.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// The ways to the services. Each is cheap to clone.
///
/// Core makes requests again, and knows when that is safe: those of the SDK for Cosmos DB are made
/// without retries, whatever its client would do.
#[derive(Clone, Debug)]
pub struct Clients {
    /// To the account that keeps streams and documents.
    pub cosmos: CosmosClient,
    /// To the account that keeps the keys of personal data: another one outside tests.
    pub keys: CosmosClient,
    /// To Event Grid and Queue Storage.
    pub http: reqwest::Client,
    /// What permits events.
    pub topic: Access,
    /// What permits commands.
    pub queue: Access,
}

impl Clients {
    /// A client for Event Grid and Queue Storage, that makes no request again and waits for none
    /// longer than 5 seconds.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if TLS cannot be set up here.
    pub fn http() -> Result<reqwest::Client> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(REQUEST_MAX)
            .retry(reqwest::retry::never());
        client.build().map_err(|error| {
            Error::new(ErrorKind::Invalid, "there is no TLS on this machine").with_source(error)
        })
    }
}
