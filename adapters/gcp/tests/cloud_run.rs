//! What only a process of its own can show: how a service starts as Cloud Run starts it, whom it
//! lets in then, and how it stops. This program is both the test and the service that it tests.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use conformance::domain;
use libtest_mimic::{Arguments, Failed, Trial};
use skyfold_gcp::host;

/// Set where this program is to be the service.
const AS_SERVICE: &str = "SKYFOLD_GCP_TEST_AS_SERVICE";

/// How long a service may take to start, on a busy machine and as it is built for tests.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// How long a service may take to stop, on a busy machine.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// What Terraform sets.
const VARIABLES: [(&str, &str); 11] = [
    ("K_SERVICE", "order-sweep"),
    ("SKYFOLD_AUDIENCES", "https://order-sweep.example"),
    ("SKYFOLD_CALLERS", "order-schedule@order.iam.gserviceaccount.com"),
    ("SKYFOLD_DATABASE", "projects/order/databases/(default)"),
    ("SKYFOLD_FUNCTION", "sweep"),
    ("SKYFOLD_IMMEDIATE_TOPIC", "projects/order/topics/order-commands"),
    ("SKYFOLD_KEYS_DATABASE", "projects/order/databases/keys"),
    ("SKYFOLD_QUEUE", "projects/order/locations/europe-west3/queues/order"),
    ("SKYFOLD_TARGET_ACCOUNT", "order-queue@order.iam.gserviceaccount.com"),
    ("SKYFOLD_TARGET_URL", "https://order-commands.example/deliveries/commands"),
    ("SKYFOLD_TOPIC", "projects/order/topics/order"),
];

fn main() -> ExitCode {
    if std::env::var_os(AS_SERVICE).is_some() {
        assert!(host::is_called());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(host::run(domain::app()));
    }
    let trials = vec![
        Trial::test("a_service_takes_no_delivery_without_a_token", without_a_token),
        Trial::test("a_service_answers_what_has_begun_and_stops_in_time", stops),
        Trial::test("a_service_that_cannot_run_says_why", says_why),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A metadata server, which has a token for whoever asks. It ends with this process.
fn metadata() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || give_token(stream));
        }
    });
    address
}

/// Answers the one request of `stream`.
fn give_token(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let token = r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{token}", token.len());
}

fn service(metadata: &str, port: u16) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().envs(VARIABLES).env(AS_SERVICE, "1").env("PORT", port.to_string());
    // Not the credentials of whoever runs the tests.
    command.env("HOME", "/nonexistent").env("GCE_METADATA_HOST", metadata);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// A service at work, killed with its holder.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    fn start() -> Self {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let start = Instant::now();
        let mut child = service(&metadata(), port).spawn().unwrap();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "it has ended");
            assert!(start.elapsed() < STARTS_WITHIN, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(STARTS_WITHIN)).unwrap();
        stream
    }

    /// Everything that is answered to `request`, after which the connection ends.
    fn answer(&self, request: &str, headers: &str) -> String {
        let mut stream = self.connect();
        let close = "host: order\r\nconnection: close";
        write!(stream, "{request} HTTP/1.1\r\n{close}\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn without_a_token() -> Result<(), Failed> {
    let running = Running::start();
    let removed = "authorization: Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE\r\n";
    let forged = "authorization: Bearer e30.e30.e30\r\n";
    for headers in ["", forged, removed] {
        for request in ["POST /deliveries/sweep", "POST /deliveries/events", "GET /balances/1"] {
            let answer = running.answer(request, &format!("{headers}content-length: 0\r\n"));
            assert!(answer.starts_with("HTTP/1.1 401 "), "{request} {headers}: {answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
        }
    }
    Ok(())
}

fn stops() -> Result<(), Failed> {
    let mut running = Running::start();
    // One whose caller never comes to its end, and one that comes to it in time.
    let mut endless = running.connect();
    write!(endless, "POST /deliveries/sweep HTTP/1.1\r\nhost: ")?;
    let mut begun = running.connect();
    write!(begun, "POST /deliveries/sweep HTTP/1.1\r\nhost: ")?;
    // Both are let in once somebody who came later is answered. Nothing tells when their bytes are
    // read: a moment after that.
    let later = running.answer("POST /deliveries/sweep", "content-length: 0\r\n");
    assert!(later.starts_with("HTTP/1.1 401 "), "{later}");
    std::thread::sleep(Duration::from_secs(1));
    let start = Instant::now();
    let kill =
        Command::new("kill").args(["-s", "TERM", &running.child.id().to_string()]).status()?;
    assert!(kill.success());
    // It has heard of the signal once it lets nobody in.
    while TcpStream::connect((Ipv4Addr::LOCALHOST, running.port)).is_ok() {
        assert!(start.elapsed() < STOPS_WITHIN, "it still lets somebody in");
        std::thread::sleep(Duration::from_millis(10));
    }
    write!(begun, "order\r\ncontent-length: 0\r\n\r\n")?;
    let mut answer = String::new();
    begun.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 401 "), "what has begun is answered: {answer}");
    let status = running.child.wait()?;
    assert_eq!(status.code(), Some(0));
    assert!(start.elapsed() < STOPS_WITHIN, "it took {:?}", start.elapsed());
    Ok(())
}

fn says_why() -> Result<(), Failed> {
    let cases = [
        ("GCE_METADATA_HOST", Some("127.0.0.1:1"), "there are no credentials: give the service"),
        ("PORT", Some("eighty"), "PORT is no port: \"eighty\""),
        ("SKYFOLD_AUDIENCES", Some(" , "), "does not set SKYFOLD_AUDIENCES: nobody could deliver"),
        ("SKYFOLD_CALLERS", None, "does not set SKYFOLD_CALLERS: nobody could deliver"),
        ("SKYFOLD_FUNCTION", Some("sweeper"), "has no function \"sweeper\", but"),
        ("SKYFOLD_TOPIC", None, "does not set SKYFOLD_TOPIC"),
    ];
    let metadata = metadata();
    for (name, value, says) in cases {
        let mut command = service(&metadata, 0);
        match value {
            None => command.env_remove(name),
            Some(value) => command.env(name, value),
        };
        let start = Instant::now();
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(says), "without {name}: {said}");
        assert_eq!(output.status.code(), Some(1), "without {name}");
        assert!(start.elapsed() < STARTS_WITHIN, "without {name} it took {:?}", start.elapsed());
    }
    Ok(())
}
