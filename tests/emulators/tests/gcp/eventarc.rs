use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// How long before what was not taken is delivered once more.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is delivered at most.
const ATTEMPTS_MAX: usize = 100;

/// What stands between the emulator's triggers and the relay: it does what Eventarc does and the
/// emulator does not, which is to bring bytes rather than their base64, and to deliver again what
/// was not taken.
#[derive(Debug, Default)]
pub(crate) struct Eventarc {
    /// Whether everything is lost on the way.
    pub(crate) loses: AtomicBool,
    pub(crate) lost: AtomicUsize,
    pub(crate) brought: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Way {
    eventarc: Arc<Eventarc>,
    relay: Router,
}

impl Eventarc {
    /// Takes what the emulator brings on `listener`, for `relay`.
    pub(crate) fn serve(self: &Arc<Self>, listener: TcpListener, relay: Router) {
        let way = Way { eventarc: self.clone(), relay };
        let router = Router::new().fallback(bring).with_state(way);
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
}

async fn bring(State(way): State<Way>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Way { eventarc, relay } = way;
    if eventarc.loses.load(Ordering::SeqCst) {
        eventarc.lost.fetch_add(1, Ordering::SeqCst);
        return StatusCode::NO_CONTENT;
    }
    let body = STANDARD.decode(body).unwrap();
    for _ in 0..ATTEMPTS_MAX {
        let mut request =
            Request::post("/deliveries/commits").body(Body::from(body.clone())).unwrap();
        *request.headers_mut() = headers.clone();
        let status = relay.clone().oneshot(request).await.unwrap().status();
        if status.is_success() {
            eventarc.brought.fetch_add(1, Ordering::SeqCst);
            return status;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the relay does not take it");
}
