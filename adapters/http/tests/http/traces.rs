//! What the log says of a request.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::client::{Answer, Bench};

/// A log kept in memory.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is logged of the requests of all tests, from before the first: what is met first where
/// nobody listens is off for the whole process.
pub(crate) static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log
});

#[tokio::test]
async fn a_request_is_logged_with_its_path_its_ids_and_what_is_not_told() {
    let bench = Bench::new();
    let body = r#"{"outcome":"Corrupt"}"#;
    let failed = bench.post_with("/account/42/ask", body, &[("idempotency-key", "abc")]).await;
    let basket = [("x-correlation-id", "basket")];
    let shown = bench.get_with("/account-summary/42", &basket).await;

    let of = |answer: &Answer, level: &str| {
        let request = format!("request=\"{}\"", answer.header("x-request-id"));
        let lines = LOG.lines();
        let found = lines.into_iter().find(|l| l.contains(level) && l.contains(&request));
        found.unwrap_or_else(|| panic!("no {level} of {request}"))
    };
    let error = of(&failed, "ERROR");
    for part in [
        "method=POST",
        "path=\"/account/{id}/{command}\"",
        "correlation=\"abc\"",
        "error=\"the service said no: a secret of the service\"",
    ] {
        assert!(error.contains(part), "no {part} in {error}");
    }
    let answered = of(&shown, "answered");
    for part in ["path=\"/account-summary/{key}\"", "correlation=\"basket\"", "status=404"] {
        assert!(answered.contains(part), "no {part} in {answered}");
    }
}
