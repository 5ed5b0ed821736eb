//! What AWS says went wrong, in the terms of the ports: the one place that knows its codes.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use skyfold::adapter::THROTTLED_WAIT;
use skyfold::{Error, ErrorKind};

/// The longest chain of causes that is told.
const CAUSES_MAX: usize = 8;

/// What a request was about, and in which region it was looked for.
pub(crate) fn located(what: &str, name: &str, region: Option<&Region>) -> String {
    match region {
        Some(region) => format!("{what} {name} in {region}"),
        None => format!("{what} {name}"),
    }
}

/// The table `name`, where `client` looks for it.
pub(crate) fn table(client: &Client, name: &str) -> String {
    located("the table", name, client.config().region())
}

/// The error of a request about `what`, such as `the table order-events in eu-central-1`.
pub(crate) fn failed<E>(what: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let response = error.raw_response();
    let status = response.map_or(0, |response| response.status().as_u16());
    let wait = response.and_then(retry_after);
    if let Some(said) = error.as_service_error() {
        let (code, message) = (said.code().unwrap_or_default(), said.message().unwrap_or_default());
        return refused(what, code, message, status, wait).with_source(Causes::of(error));
    }
    let causes = Causes::of(error);
    let (kind, hint) = match causes.unanswered() {
        // A gateway on the way, whose answer is not of the service's form.
        _ if status != 0 => (kind("", "", status), "the answer could not be read"),
        kind => (kind, hint(kind)),
    };
    Error::new(kind, format!("{what}: {hint}")).with_source(causes)
}

/// The error of one entry of a request about `what`, of which others succeeded.
pub(crate) fn entry_failed(what: &str, code: Option<&str>, message: Option<&str>) -> Error {
    let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
    let error = refused(what, code, message, 0, None);
    error.with_source(format!("{code}: {message}"))
}

fn refused(what: &str, code: &str, message: &str, status: u16, wait: Option<Duration>) -> Error {
    let kind = kind(code, message, status);
    let hint = match kind {
        ErrorKind::NotFound => {
            "it does not exist there: create it, or check its name and the region (AWS_REGION)"
        }
        _ if is_held(code) => "another request holds the item",
        ErrorKind::Invalid if is_of_another_layout(message) => {
            "it has another layout than this release's: give it the keys and indexes of `tables`"
        }
        kind => hint(kind),
    };
    let error = Error::new(kind, format!("{what}: {hint}"));
    match kind {
        ErrorKind::Throttled => error.with_retry_after(wait.unwrap_or(THROTTLED_WAIT)),
        _ => error,
    }
}

/// Every code of the services' API references ("Common Errors" and the errors of each action) that
/// asks for something else than its status would.
fn kind(code: &str, message: &str, status: u16) -> ErrorKind {
    match code {
        "ConditionalCheckFailedException" => ErrorKind::Conflict,
        "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "KmsThrottled"
        | "OverLimit" => ErrorKind::Throttled,
        "ResourceNotFoundException"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => ErrorKind::NotFound,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "KmsAccessDenied"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => ErrorKind::Denied,
        "ValidationException" if message.contains("size has exceeded") => ErrorKind::Oversized,
        "AWS.SimpleQueueService.BatchRequestTooLong"
        | "BatchRequestTooLong"
        | "ItemCollectionSizeLimitExceededException" => ErrorKind::Oversized,
        "InvalidArgument"
        | "InvalidMessageContents"
        | "InvalidParameterValue"
        | "MalformedDetail"
        | "SerializationException"
        | "ValidationError"
        | "ValidationException" => ErrorKind::Invalid,
        "InternalError"
        | "InternalException"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServerErrorException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServiceUnavailable" => ErrorKind::Unavailable,
        code if is_held(code) => ErrorKind::Unavailable,
        _ => match status {
            401 | 403 => ErrorKind::Denied,
            408 | 500.. => ErrorKind::Unavailable,
            413 => ErrorKind::Oversized,
            429 => ErrorKind::Throttled,
            _ => ErrorKind::Unexpected,
        },
    }
}

/// Whether a write was refused only because another request holds its item. That says nothing of
/// its condition: it did not fail, and there may be none ("Error handling with DynamoDB").
fn is_held(code: &str) -> bool {
    matches!(code, "ReplicatedWriteConflictException" | "TransactionConflictException")
}

/// What a caller can do about it.
fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Conflict => "another writer was faster",
        ErrorKind::Throttled => "it asks for fewer requests",
        ErrorKind::Oversized => "it does not take as much",
        ErrorKind::Denied => {
            "the credentials do not permit this, or there are none: give the function a role, or \
             set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        }
        ErrorKind::Invalid => "the request makes no sense to it",
        ErrorKind::Unavailable => "it did not answer",
        _ => "it failed",
    }
}

/// Whether a request did not fit the keys or indexes of its table.
fn is_of_another_layout(message: &str) -> bool {
    [
        "Missing the key",
        "Query key condition not supported",
        "Type mismatch for key",
        "does not match schema type",
        "key attributes defined",
        "key element",
        "key schema",
        "specified index",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// How long the answer asks to wait.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error of the SDK, which says in one line what its causes say, for each alone says little.
#[derive(Debug)]
struct Causes {
    error: Box<dyn StdError + Send + Sync>,
    is_timeout: bool,
    is_undeliverable: bool,
}

impl Causes {
    fn of<E: StdError + Send + Sync + 'static>(error: SdkError<E>) -> Self {
        let is_timeout = matches!(error, SdkError::TimeoutError(_));
        let is_undeliverable = match &error {
            SdkError::DispatchFailure(failure) => failure.is_user() || failure.is_other(),
            error => matches!(error, SdkError::ConstructionFailure(_)),
        };
        Self { error: error.into_source().unwrap_or_else(Into::into), is_timeout, is_undeliverable }
    }

    /// The kind of a request that nobody answered.
    fn unanswered(&self) -> ErrorKind {
        if self.chain().any(|cause| cause.is::<CredentialsError>()) || self.names("credentials") {
            return ErrorKind::Denied;
        }
        match self.is_undeliverable && !self.is_timeout {
            true => ErrorKind::Invalid,
            false => ErrorKind::Unavailable,
        }
    }

    fn names(&self, word: &str) -> bool {
        self.to_string().contains(word)
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&*self.error);
        let chain = std::iter::from_fn(move || {
            let cause = next?;
            next = cause.source();
            Some(cause)
        });
        chain.take(CAUSES_MAX)
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, cause) in self.chain().enumerate() {
            write!(f, "{}{cause}", if nth == 0 { "" } else { ": " })?;
        }
        Ok(())
    }
}

impl StdError for Causes {}
