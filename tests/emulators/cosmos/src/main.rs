//! Microsoft's in-memory Cosmos DB on a port of this machine, for as long as its input is open.
//!
//! The SDK's own driver has it, behind a feature that makes no promise; so it is built apart from
//! whatever is tested with it. It says `ready`, and its port, once it answers.
//!
//! The account has two regions, of which the second has everything half a second later.
//!
//! It is less strict than the service: it looks at no key, forgets no document whose time has
//! passed, and takes ids that the service refuses.
//!
//! What no request to the service brings about is asked for under [`orders`]: bad weather, and
//! partitions that split.

mod orders;
mod storm;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::serve::ListenerExt as _;
use azure_core::http::{Method, Request as CosmosRequest, Url};
use azure_data_cosmos_driver::in_memory_emulator::{
    ConsistencyLevel, InMemoryEmulatorHttpClient, ReplicationConfig, VirtualAccountConfig,
    VirtualRegion,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::storm::{Storms, Turn};

/// How many bytes a request may have: an item has 2 MB.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// The region that is written to.
const REGION: &str = "West Europe";

/// Another one, to which everything comes later.
const LAGGING: &str = "North Europe";

/// How much later.
const LAG: Duration = Duration::from_millis(500);

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Account {
    emulator: Arc<InMemoryEmulatorHttpClient>,
    base: Url,
    storms: Arc<Storms>,
}

impl Account {
    /// What comes of `request` in the weather that its database has.
    async fn carry(&self, request: Request) -> Result<Response, Failure> {
        match self.storms.turn(request.uri().path()) {
            Turn::Calm => self.answer(request).await,
            Turn::Refused(refusal) => Ok(refusal.response()?),
            Turn::Slow(delay) => {
                tokio::time::sleep(delay).await;
                self.answer(request).await
            }
            Turn::Cut => Ok(storm::cut()?),
            Turn::Lost => {
                self.answer(request).await?;
                Ok(storm::cut()?)
            }
        }
    }

    /// What the emulator answers to `request`.
    async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let method: Method = parts.method.as_str().parse()?;
        let mut asked = CosmosRequest::new(self.base.join(path)?, method);
        for (name, value) in &parts.headers {
            if let Ok(value) = value.to_str() {
                asked.insert_header(name.as_str().to_owned(), value.to_owned());
            }
        }
        asked.set_body(to_bytes(body, REQUEST_BYTES_MAX).await?.to_vec());
        let answer = self.emulator.execute_request(&asked).await?.try_into_raw_response().await?;
        let mut response = Response::builder().status(u16::from(answer.status()));
        for (name, value) in answer.headers().iter() {
            let name = name.as_str();
            let is_of_the_wire = ["content-length", "transfer-encoding"];
            if !is_of_the_wire.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                response = response.header(name, value.as_str());
            }
        }
        Ok(response.body(Body::from(answer.body().to_vec()))?)
    }
}

async fn handle(State(account): State<Account>, request: Request) -> Response {
    match account.carry(request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

/// Waits until the input has ended: whoever started this has ended, or wants no more of it.
async fn input_ended() {
    let (mut input, mut rest) = (tokio::io::stdin(), [0; 64]);
    while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// Somewhere to listen, and where that is.
async fn listen() -> Result<(TcpListener, Url), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let base = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    Ok((listener, base))
}

/// Answers for `account` at `listener`.
async fn serve(listener: TcpListener, account: Account) -> Result<(), Failure> {
    // An answer in two parts would wait for the acknowledgement of the first.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let app = Router::new().merge(orders::routes()).fallback(handle).with_state(account);
    Ok(axum::serve(listener, app).await?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (written, lagging) = (listen().await?, listen().await?);
    let regions = vec![
        VirtualRegion::new(REGION, written.1.clone()),
        VirtualRegion::new(LAGGING, lagging.1.clone()),
    ];
    let config = VirtualAccountConfig::new(regions)?
        .with_consistency(ConsistencyLevel::Session)
        .with_replication_config(ReplicationConfig::fixed(LAG));
    let emulator = Arc::new(InMemoryEmulatorHttpClient::new(config));
    let storms: Arc<Storms> = Arc::default();
    let account = |base| Account { emulator: emulator.clone(), base, storms: storms.clone() };
    println!("ready {}", written.0.local_addr()?.port());
    tokio::select! {
        served = serve(written.0, account(written.1)) => served?,
        served = serve(lagging.0, account(lagging.1)) => served?,
        () = input_ended() => {}
    }
    // The thread that reads the input cannot be told to end.
    std::process::exit(0)
}
