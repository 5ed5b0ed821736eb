use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::http::{HeaderValue, Request, Response};
use skyfold_gcp::Wire;
use tokio::sync::Notify;
use tonic::body::Body;
use tower::{BoxError, Service, ServiceExt as _};

/// Stops a process between its write and the answer to it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) is_shut: AtomicBool,
    pub(crate) reached: Notify,
}

/// The way to Firestore, with a gate behind it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    network: Wire,
    gate: Arc<Gate>,
}

impl Line {
    pub(crate) fn wire(url: &str, gate: Arc<Gate>) -> Wire {
        Wire::new(Self { network: Wire::to(url).unwrap(), gate })
    }
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self { network, gate } = self.clone();
        // To the emulator, whoever owns the project: not everything is permitted to others.
        request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer owner"));
        Box::pin(async move {
            let is_write = request.uri().path().ends_with("/Commit");
            let answer = network.oneshot(request).await?;
            if is_write && gate.is_shut.load(Ordering::SeqCst) {
                gate.reached.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(answer)
        })
    }
}
