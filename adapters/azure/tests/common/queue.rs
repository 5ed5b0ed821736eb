use std::sync::Arc;

use axum::http::StatusCode;
use emulators::{Azurite, Message};
use reqwest::{RequestBuilder, Response};
use tokio::sync::Mutex;

/// A queue of Microsoft's emulator that a message passes through: it is put in as it was sent, and
/// is what comes out again. The emulator tells time by the clock of the wall, and a test by its
/// own; so that a message that is held back is had at once, and a test holds it.
#[derive(Debug)]
pub struct Passage {
    client: reqwest::Client,
    azurite: &'static Azurite,
    name: String,
    /// Held while a message in the queue is visible.
    turn: Mutex<()>,
}

impl Passage {
    pub fn new(azurite: &'static Azurite, name: &str) -> Self {
        azurite.create_queue(name).unwrap();
        let client = reqwest::Client::new();
        Self { client, azurite, name: name.to_owned(), turn: Mutex::default() }
    }

    /// The text of the message `body`, held back for `delay` seconds, as the emulator gives it; or
    /// the status with which it refuses it.
    pub async fn pass(self: Arc<Self>, body: String, delay: u64) -> Result<String, StatusCode> {
        let _turn = self.turn.lock().await;
        let put =
            self.client.post(self.at("", &format!("messagettl=-1&visibilitytimeout={delay}")));
        let answer = asked(put.body(body)).await;
        let status = answer.status();
        if !status.is_success() {
            return Err(status);
        }
        let put = only(answer).await;
        if delay > 0 {
            let shown = self.at(&format!("/{}", put.id), "visibilitytimeout=0");
            let shown = self.client.put(shown).query(&[("popreceipt", put.receipt)]).body("");
            assert!(asked(shown).await.status().is_success());
        }
        // Hidden for a week it is out of the way of others.
        let got = asked(self.client.get(self.at("", "visibilitytimeout=604800"))).await;
        let got = only(got).await;
        assert_eq!(got.id, put.id);
        Ok(got.text)
    }

    fn at(&self, path: &str, query: &str) -> String {
        let queue = self.azurite.queue(&self.name);
        let (url, signature) = queue.split_once('?').unwrap();
        format!("{url}/messages{path}?{query}&{signature}")
    }
}

async fn asked(request: RequestBuilder) -> Response {
    request.header("x-ms-version", "2021-12-02").send().await.unwrap()
}

/// The one message of `answer`.
async fn only(answer: Response) -> Message {
    let mut messages = Message::all(&answer.text().await.unwrap()).unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}
