use std::time::{Duration, Instant};

use serde_json::json;
use skyfold::Runtime;
use skyfold::ports::{Consistency, QueuedCommand, Range};
use time::OffsetDateTime;

/// When the command is due.
const AHEAD: Duration = Duration::from_secs(3);

/// How long it may take after that, on a busy machine.
const LATE_MAX: Duration = Duration::from_secs(60);

/// Queues a command that is due later, and sees it run then.
///
/// # Panics
///
/// If it is run before that, or not in time.
pub(crate) async fn in_time(runtime: &Runtime) {
    let stream = "stock-timed".parse().unwrap();
    let command = json!({ "Receive": { "quantity": 2, "reason": "delivery" } });
    let request = json!({ "stream": "timed", "id": "t-1", "command": command });
    let queued = json!({ "category": "stock", "request": request });
    let mut queued: QueuedCommand = serde_json::from_value(queued).unwrap();
    let (start, due) = (Instant::now(), OffsetDateTime::now_utc() + AHEAD);
    queued.due = Some(due);
    let outcomes = runtime.ports().queue.send(&[queued]).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let events = &runtime.ports().events;
    let commit = loop {
        let newest = events.read(&stream, Range::NEWEST, 1, Consistency::Strong).await;
        if let Some(commit) = newest.unwrap().commits.pop() {
            break commit;
        }
        assert!(start.elapsed() < AHEAD + LATE_MAX, "it has not run");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(commit.commit.time() >= due, "{} is before {due}", commit.commit.time());
}
