//! Taking messages from Queue Storage. What is received is hidden for a while, and comes again
//! unless it is deleted until then.

use std::time::Duration;

use quick_xml::DeError;
use quick_xml::de;
use reqwest::{Method, Url};
use serde::Deserialize;
use skyfold::{Error, ErrorKind, Result};

use crate::http;
use crate::queue::{Commands, SCOPE, VERSION};

/// How many messages one request may take ("Get Messages").
pub(crate) const RECEIVED_MAX: usize = 32;

/// How many bytes an answer may have: texts of 64 KiB, which are escaped in XML at worst as six
/// characters each, and what frames them.
const ANSWER_BYTES_MAX: usize = RECEIVED_MAX * 6 * 66 * 1024;

/// What an answer begins with ("Get Messages", "Sample response").
const BOM: char = '\u{feff}';

/// A message that was received, and is hidden from others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Message {
    #[serde(rename = "MessageId")]
    id: String,
    /// What shows that it was received last by whoever has this.
    #[serde(rename = "PopReceipt")]
    receipt: String,
    /// What was put.
    #[serde(rename = "MessageText", default)]
    pub(crate) text: String,
    /// How often it was received, this time included.
    #[serde(rename = "DequeueCount")]
    pub(crate) dequeued: u32,
}

#[derive(Deserialize)]
enum Answer {
    QueueMessagesList {
        #[serde(rename = "QueueMessage", default)]
        messages: Vec<Message>,
    },
}

impl Message {
    /// One of a queue that is none of Queue Storage.
    #[cfg(test)]
    pub(crate) fn new(id: String, text: String, dequeued: u32) -> Self {
        Self { receipt: id.clone(), id, text, dequeued }
    }

    /// What it is told from others by.
    #[cfg(test)]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Commands {
    /// Up to `count` messages, hidden from others for the time `hidden`, in whole seconds.
    pub(crate) async fn receive(&self, count: usize, hidden: Duration) -> Result<Vec<Message>> {
        let what = self.what();
        let wanted = [
            ("numofmessages", count.clamp(1, RECEIVED_MAX).to_string()),
            ("visibilitytimeout", hidden.as_secs().to_string()),
        ];
        let url = self.messages()?;
        let request = self.client.get(url).query(&wanted).header("x-ms-version", VERSION);
        let request = self.access.permit(&what, SCOPE, request).await?;
        let answer = http::read(&what, request, ANSWER_BYTES_MAX).await?;
        messages(&answer).map_err(|error| {
            let message = format!("{what}: the answer could not be read");
            Error::new(ErrorKind::Corrupt, message).with_source(error)
        })
    }

    /// Deletes `message`, unless it was received by another meanwhile ("Delete Message").
    pub(crate) async fn delete(&self, message: &Message) -> Result<()> {
        match self.change(message, Method::DELETE, &[]).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Hides `message` from now on for the time `hidden`, in whole seconds ("Update Message").
    pub(crate) async fn hide(&self, message: &Message, hidden: Duration) -> Result<()> {
        let seconds = hidden.as_secs().to_string();
        self.change(message, Method::PUT, &[("visibilitytimeout", seconds.as_str())]).await
    }

    async fn change(&self, message: &Message, how: Method, with: &[(&str, &str)]) -> Result<()> {
        let what = self.what();
        let request = self
            .client
            .request(how, self.message(message)?)
            .query(&[("popreceipt", message.receipt.as_str())])
            .query(with)
            .header("x-ms-version", VERSION)
            // A body that is empty leaves the text as it is; its length must be said.
            .header("content-length", "0");
        http::send(&what, self.access.permit(&what, SCOPE, request).await?).await
    }

    fn message(&self, message: &Message) -> Result<Url> {
        let mut url = self.messages()?;
        let path = format!("{}/{}", url.path(), message.id);
        url.set_path(&path);
        Ok(url)
    }
}

/// The messages of an answer ("Get Messages", "Response body").
fn messages(xml: &str) -> Result<Vec<Message>, DeError> {
    let Answer::QueueMessagesList { messages } = de::from_str(xml.trim_start_matches(BOM))?;
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the page "Get Messages" has it.
    const ANSWER: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <QueueMessagesList><QueueMessage>\
        <MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId>\
        <InsertionTime>Fri, 09 Oct 2009 21:04:30 GMT</InsertionTime>\
        <ExpirationTime>Fri, 16 Oct 2009 21:04:30 GMT</ExpirationTime>\
        <PopReceipt>YzQ4Yzg1MDItYTc0Ny00OWNjLTkxYTUtZGM0MDFiZDAwYzEw</PopReceipt>\
        <TimeNextVisible>Fri, 09 Oct 2009 23:29:20 GMT</TimeNextVisible>\
        <DequeueCount>7</DequeueCount>\
        <MessageText>{&quot;a&quot;:&quot;&amp;lt;&quot;}</MessageText>\
        </QueueMessage></QueueMessagesList>";

    #[test]
    fn an_answer_is_read_as_it_is_documented() {
        let [message] = messages(ANSWER).unwrap().try_into().unwrap();
        assert_eq!((&*message.text, message.dequeued), (r#"{"a":"&lt;"}"#, 7));
        assert!(message.receipt.starts_with("YzQ4") && message.id.starts_with("5974"));
    }

    #[test]
    fn an_empty_queue_has_no_messages_and_another_answer_is_none() {
        assert_eq!(messages("<?xml version=\"1.0\"?><QueueMessagesList />").unwrap(), []);
        for strange in ["", "<html></html>", "<QueueMessagesList><QueueMessage></QueueMessage>"] {
            messages(strange).unwrap_err();
        }
    }
}
