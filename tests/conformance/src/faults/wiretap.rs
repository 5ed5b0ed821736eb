use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Fault, Request, Tap};

/// Keeps every text that leaves a process, by the kind of request that it leaves with.
#[derive(Default)]
pub struct Wiretap(Mutex<BTreeMap<&'static str, String>>);

impl Wiretap {
    /// One that has heard nothing yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What was heard of each kind of request.
    pub fn heard(&self) -> BTreeMap<&'static str, String> {
        self.0.lock().expect("nothing panics while it holds what was heard").clone()
    }
}

#[async_trait]
impl Tap for Wiretap {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        let text = match request {
            Request::Append(head, commit) => {
                format!("{} {}", head.stream(), json(commit))
            }
            Request::SaveSnapshot(stream, snapshot) => {
                format!("{stream} {}", json(&snapshot.state))
            }
            Request::Write(write) => {
                let body = write.body.as_ref().map(json);
                format!("{:?} {:?} {body:?}", write.key, write.listings)
            }
            Request::Publish(event) => json(event),
            Request::Send(queued) => json(queued),
            request => format!("{request:?}"),
        };
        let mut heard = self.0.lock().expect("nothing panics while it holds what was heard");
        heard.entry(request.kind()).or_default().push_str(&text);
        None
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("what is sent has a JSON form")
}

impl std::fmt::Debug for Wiretap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wiretap").finish_non_exhaustive()
    }
}
