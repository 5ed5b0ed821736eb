use std::time::Duration;

use azure_data_cosmos::options::{ConnectionPoolOptions, PartitionFailoverOptions};
use azure_data_cosmos::{
    AccountReference, CosmosClient, CosmosError, CosmosRuntime, RoutingStrategy,
};
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
    /// To the account that keeps streams and documents, as [`account`](Self::account) makes it: one
    /// that reads in other regions does not show every write that has returned.
    pub cosmos: CosmosClient,
    /// To the account that keeps the keys of personal data: another one outside tests, and made
    /// alike.
    pub keys: CosmosClient,
    /// To Event Grid and Queue Storage.
    pub http: reqwest::Client,
    /// What permits events.
    pub topic: Access,
    /// What permits commands.
    pub queue: Access,
}

impl Clients {
    /// A client of an account of Cosmos DB which reads in the region that is written to, also when
    /// requests fail there: another region is behind, and what it answers is not what was last
    /// written ("Consistency levels in Azure Cosmos DB"). By itself the SDK would read elsewhere
    /// after some failures.
    ///
    /// # Errors
    ///
    /// What the SDK says if the account cannot be asked for its regions.
    pub async fn account(
        account: AccountReference,
        pool: ConnectionPoolOptions,
    ) -> Result<CosmosClient, CosmosError> {
        // The account can turn the circuit breaker on again: no count of failures then opens it.
        let failover = PartitionFailoverOptions::builder()
            .with_circuit_breaker_enabled(false)
            .with_read_failure_threshold(i32::MAX.unsigned_abs())
            .build()?;
        let runtime = CosmosRuntime::builder().with_connection_pool(pool).build().await?;
        let client = CosmosClient::builder().with_runtime(runtime);
        let client = client.with_partition_failover_options(failover);
        client.build(account, RoutingStrategy::PreferredRegions(vec![])).await
    }

    /// A client for Event Grid and Queue Storage, that makes no request again, neither there nor
    /// where an answer leads, and waits for none longer than 5 seconds.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if TLS cannot be set up here.
    pub fn http() -> Result<reqwest::Client> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(REQUEST_MAX)
            // What is asked elsewhere comes without its body, or with a key that is not for others.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        client.build().map_err(|error| {
            Error::new(ErrorKind::Invalid, "there is no TLS on this machine").with_source(error)
        })
    }
}
