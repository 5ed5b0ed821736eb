//! What shows only on a connection: server-sent events, shutdown, bodies and heads that do not end.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use skyfold_http::{Options, ServerLimits, serve_within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Bench;

/// How long anything here may take.
const BOUND: Duration = Duration::from_secs(20);

/// The app on a port of its own.
struct Server {
    bench: Bench,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(options: Options, limits: ServerLimits) -> Self {
        let bench = Bench::with(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { _ = stopped.await };
        let served = tokio::spawn(serve_within(limits, listener, bench.router.clone(), shutdown));
        Self { bench, address, stop: Some(stop), served }
    }

    async fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends `request` and reads until the connection is closed.
    async fn exchange(&self, request: &str) -> String {
        let mut connection = self.connect().await;
        connection.write_all(request.as_bytes()).await.unwrap();
        read_to_end(&mut connection).await
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

async fn read_to_end(connection: &mut BufReader<TcpStream>) -> String {
    let mut bytes = vec![];
    let reading = connection.read_to_end(&mut bytes);
    // A reset after the answer is as good as an end.
    let _ = tokio::time::timeout(BOUND, reading).await.expect("the connection stays open");
    String::from_utf8(bytes).unwrap()
}

/// Reads up to and with the line that starts with `start`.
async fn read_until(connection: &mut BufReader<TcpStream>, start: &str) -> Vec<String> {
    let reading = async {
        let mut lines = vec![];
        loop {
            let mut line = String::new();
            assert_ne!(connection.read_line(&mut line).await.unwrap(), 0, "no {start}: {lines:?}");
            lines.push(line.trim_end().to_owned());
            if line.starts_with(start) {
                return lines;
            }
        }
    };
    tokio::time::timeout(BOUND, reading).await.expect("the line does not come")
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n{headers}connection: close\r\n\r\n")
}

/// A request after which the connection stays open, and whose answer ends with a line.
const KEEP_ALIVE: &[u8] = b"GET /problems/invalid HTTP/1.1\r\nhost: test\r\n\r\n";

const EVENTS: &str = "accept: text/event-stream\r\n";

fn impatient() -> Options {
    Options { heartbeat: Duration::from_millis(5), ..Options::default() }
}

#[tokio::test]
async fn a_waiting_reader_hears_that_it_waits_and_then_the_answer() {
    let server = Server::start(impatient(), ServerLimits::default()).await;
    server.bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let mut connection = server.connect().await;
    let request = get("/account-summary/42?after=account-42@1", EVENTS);
    connection.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut connection, ": pending").await;
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(head.contains(&"content-type: text/event-stream".to_owned()), "{head:?}");
    read_until(&mut connection, ": pending").await;
    server.bench.settle().await;
    let rest = read_to_end(&mut connection).await;
    for line in ["event: answer", "id: account-42@1", r#"data: {"owner":"Ada","cents":0}"#] {
        assert!(rest.contains(line), "{rest}");
    }
}

#[tokio::test]
async fn a_reader_whose_wait_ends_is_told_so_and_may_ask_again() {
    let server = Server::start(impatient(), ServerLimits::default()).await;
    let path = "/account-summary/42?after=account-42@1&wait=0.05";
    let answer = server.exchange(&get(path, EVENTS)).await;
    assert!(answer.contains("event: pending") && answer.contains("retry: 1000"), "{answer}");
    assert!(!answer.contains("\nid: "), "what was not seen has no id: {answer}");
    let data = answer.split("data: ").nth(1).unwrap().lines().next().unwrap();
    let document: Value = serde_json::from_str(data).unwrap();
    assert_eq!(document["type"], "/problems/pending");
}

#[tokio::test]
async fn a_reader_of_events_hears_of_problems_as_well() {
    let server = Server::start(impatient(), ServerLimits::default()).await;
    for (path, code) in [
        ("/account-summary/42?after=parcel-1@1", "not-found"),
        ("/failing?outcome=Panic&after=account-42@1", "unexpected"),
    ] {
        let answer = server.exchange(&get(path, EVENTS)).await;
        assert!(answer.contains("event: problem"), "{answer}");
        assert!(answer.contains(&format!("/problems/{code}")), "{answer}");
    }
    let pointless = server.exchange(&get("/account-summary/42", EVENTS)).await;
    assert!(pointless.starts_with("HTTP/1.1 400 "), "{pointless}");
    assert!(pointless.contains("application/problem+json"), "{pointless}");
}

#[tokio::test]
async fn a_browser_that_has_heard_the_answer_is_sent_away() {
    let server = Server::start(impatient(), ServerLimits::default()).await;
    let headers = format!("{EVENTS}last-event-id: account-42@1\r\n");
    let answer = server.exchange(&get("/account-summary/42?after=account-42@1", &headers)).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_without_being_taken() {
    let server = Server::start(Options::default(), ServerLimits::default()).await;
    let mut connection = server.connect().await;
    let head = "POST /account/42/open HTTP/1.1\r\nhost: test\r\n\
        content-type: application/json\r\ncontent-length: 10000000\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    // None of the body is sent: the answer must not wait for it.
    let answer = read_to_end(&mut connection).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("the body has 10000000 bytes, of at most 262144 bytes"), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_before_it_reads_gets_to_see_the_refusal() {
    let server = Server::start(Options::default(), ServerLimits::default()).await;
    let body = "x".repeat(600_000);
    let head = "POST /account/42/open HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 600000\r\n\r\n";
    let answer = server.exchange(&format!("{head}{body}")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for_forever() {
    let limits =
        ServerLimits { head_wait_max: Duration::from_millis(50), ..ServerLimits::default() };
    let server = Server::start(Options::default(), limits).await;
    let mut connection = server.connect().await;
    connection.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").await.unwrap();
    assert_eq!(read_to_end(&mut connection).await, "");
    let healthy = server.exchange(&get("/health", "")).await;
    assert!(healthy.starts_with("HTTP/1.1 200 "), "{healthy}");
}

#[tokio::test]
async fn a_connection_that_idles_is_closed() {
    let limits =
        ServerLimits { head_wait_max: Duration::from_millis(50), ..ServerLimits::default() };
    let server = Server::start(Options::default(), limits).await;
    let mut connection = server.connect().await;
    connection.write_all(KEEP_ALIVE).await.unwrap();
    read_until(&mut connection, "Status 400").await;
    assert_eq!(read_to_end(&mut connection).await, "");
}

#[tokio::test]
async fn what_is_not_http_is_refused_below_the_app() {
    let server = Server::start(Options::default(), ServerLimits::default()).await;
    let mut connection = server.connect().await;
    connection.write_all(b"GET /\xff HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut connection).await.starts_with("HTTP/1.1 400 "));
    let long = format!("x-long: {}\r\n", "x".repeat(70_000));
    let answer = server.exchange(&get("/health", &long)).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn requests_that_have_begun_finish_after_the_shutdown() {
    let mut server = Server::start(impatient(), ServerLimits::default()).await;
    server.bench.post("/account/42/open", r#"{"owner":"Ada"}"#).await;
    let mut waiting = server.connect().await;
    let request = get("/account-summary/42?after=account-42@1", EVENTS);
    waiting.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut waiting, ": pending").await;
    let mut idle = server.connect().await;
    idle.write_all(KEEP_ALIVE).await.unwrap();
    read_until(&mut idle, "Status 400").await;

    let mut fresh = server.connect().await;

    server.stop();
    for connection in [&mut idle, &mut fresh] {
        assert_eq!(read_to_end(connection).await, "", "who has nothing to finish is let go");
    }
    let refused = async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, refused).await.expect("nobody is let in any more");
    assert!(!server.served.is_finished());
    server.bench.settle().await;
    let rest = read_to_end(&mut waiting).await;
    assert!(rest.contains("event: answer"), "{rest}");
    tokio::time::timeout(BOUND, server.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn requests_that_do_not_finish_are_cut_off_in_the_end() {
    let limits = ServerLimits { drain_max: Duration::from_millis(50), ..ServerLimits::default() };
    let mut server = Server::start(impatient(), limits).await;
    let mut waiting = server.connect().await;
    let request = get("/account-summary/42?after=account-42@1", EVENTS);
    waiting.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut waiting, ": pending").await;
    server.stop();
    tokio::time::timeout(BOUND, server.served).await.unwrap().unwrap().unwrap();
    let rest = read_to_end(&mut waiting).await;
    assert!(!rest.contains("event: "), "{rest}");
}

#[tokio::test]
async fn no_more_connections_are_open_than_may_be() {
    let limits = ServerLimits { connections_max: 1, ..ServerLimits::default() };
    let server = Server::start(Options::default(), limits).await;
    let mut first = server.connect().await;
    first.write_all(KEEP_ALIVE).await.unwrap();
    read_until(&mut first, "Status 400").await;
    let mut second = server.connect().await;
    second.write_all(get("/health", "").as_bytes()).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(50), second.fill_buf()).await;
    assert!(waiting.is_err(), "the second is let in before the first is gone");
    drop(first);
    assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 200 "));
}
