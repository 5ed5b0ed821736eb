use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// How long one request may take. Every request here is answered within milliseconds, or not at
/// all.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// The clients of the services. Each is cheap to clone.
///
/// Core makes requests again, and knows when that is safe: the clients must not. Whoever makes them
/// otherwise than here sets `RetryConfig::disabled()`, and a time after which a request has failed.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Keeps streams and documents.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Announces events.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// Holds commands.
    pub sqs: aws_sdk_sqs::Client,
}

impl Clients {
    /// Clients with region, credentials, endpoint and HTTP client of `config`, that make no request
    /// again and wait for none longer than 5 seconds.
    pub fn new(config: &SdkConfig) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .operation_attempt_timeout(REQUEST_MAX)
            .operation_timeout(REQUEST_MAX);
        let config = config
            .to_builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build())
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }
}
