//! How the program starts, as Lambda starts it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use crate::package;

/// How soon it asks for work, on a busy machine and as it is built for tests.
const ASKS_WITHIN: Duration = Duration::from_secs(5);

/// How soon it says what is missing: it does not wait for a machine's role.
const SAYS_WITHIN: Duration = Duration::from_secs(20);

/// How often it is started.
const STARTS: usize = 15;

/// What Lambda sets, and what the Terraform sets.
const VARIABLES: [(&str, &str); 12] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_NAME", "order-relay"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("SKYFOLD_BUS", "order"),
    ("SKYFOLD_DOCUMENTS_TABLE", "order-documents"),
    ("SKYFOLD_EVENTS_TABLE", "order-events"),
    ("SKYFOLD_FUNCTION", "relay"),
    ("SKYFOLD_KEYS_TABLE", "order-keys"),
    ("SKYFOLD_QUEUE_URL", "http://127.0.0.1:1/0/order-commands"),
];

fn function(api: &str) -> Command {
    let mut command = Command::new(package().program("bootstrap"));
    command.env_clear().envs(VARIABLES).env("AWS_LAMBDA_RUNTIME_API", api);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn soon() -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let api = listener.local_addr()?.to_string();
    let mut times = vec![];
    for _ in 0..STARTS {
        let start = Instant::now();
        let mut child = function(&api).spawn()?;
        let (stream, _) = listener.accept()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        times.push(start.elapsed());
        child.kill()?;
        child.wait()?;
        assert!(line.starts_with("GET /2018-06-01/runtime/invocation/next"), "{line}");
    }
    times.sort();
    let package = std::fs::metadata(&package().archive)?.len();
    eprintln!("from start to asking for work: {:?}; package: {package} bytes", times[STARTS / 2]);
    assert!(times[STARTS / 2] < ASKS_WITHIN, "{times:?}");
    Ok(())
}

pub(crate) fn says_what_is_missing() -> Result<(), Failed> {
    let cases = [
        ("SKYFOLD_EVENTS_TABLE", None, "does not set SKYFOLD_EVENTS_TABLE"),
        ("SKYFOLD_FUNCTION", Some("relais"), "has no function \"relais\", but"),
        ("AWS_REGION", None, "there is no region: set AWS_REGION"),
        ("AWS_SECRET_ACCESS_KEY", None, "there are no credentials: give the function a role"),
    ];
    for (name, value, says) in cases {
        let mut command = function("127.0.0.1:1");
        // Not the files of whoever runs the tests.
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        match value {
            None => command.env_remove(name),
            Some(value) => command.env(name, value),
        };
        let start = Instant::now();
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(says), "without {name}: {said}");
        assert_eq!(output.status.code(), Some(1));
        assert!(start.elapsed() < SAYS_WITHIN, "without {name} it took {:?}", start.elapsed());
    }
    Ok(())
}
