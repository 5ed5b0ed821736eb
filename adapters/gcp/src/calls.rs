//! What every request over a wire has: a time after which it has failed, and for the front ends of
//! the services what it is about.

use std::time::Duration;

use skyfold::Result;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};

use crate::errors::failed;

/// How long a request may take that is answered within milliseconds, or not at all.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(5);

/// What a request is about, as a header of it.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: &'static str,
    pub(crate) value: MetadataValue<Ascii>,
}

impl Header {
    /// The header that routes a request, by parameters such as `topic=projects/order/topics/order`
    /// ("Routing headers", AIP-4222). `None` for what could be no name, which the service says.
    pub(crate) fn route(params: &str) -> Option<Self> {
        let params = params.replace('/', "%2F").replace('(', "%28").replace(')', "%29");
        Some(Self { name: "x-goog-request-params", value: params.parse().ok()? })
    }
}

/// `message` as a request that both sides give up after `time`.
pub(crate) fn request<'a, T>(
    message: T,
    time: Duration,
    headers: impl IntoIterator<Item = &'a Header>,
) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    for Header { name, value } in headers {
        request.metadata_mut().insert(*name, value.clone());
    }
    request
}

/// What `call`, a request about `what`, comes to within `time`.
pub(crate) async fn answered<T>(
    what: &str,
    time: Duration,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T> {
    let answer = tokio::time::timeout(time, call).await.unwrap_or_else(|_| {
        Err(Status::deadline_exceeded(format!("no answer in {} s", time.as_secs())))
    });
    answer.map_err(|status| failed(what, status))
}
