use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::watched::Watched;
use crate::{Missing, installed};

/// How long it may take to start, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// What permits everything of queues until the end of 2099: an account SAS ("Create an account
/// SAS"), signed with the key of the account that the emulator documents ("Use the Azurite emulator
/// for local Azure Storage development"). It says nothing of a port.
const SIGNATURE: &str = "sv=2021-12-02&ss=q&srt=sco&sp=rwdlacup&se=2099-12-31T00%3A00%3A00Z\
    &spr=https%2Chttp&sig=SxCDS7ihovg2OyV8PW1Qrab8exbeGJcg50l1sw%2BZ0f8%3D";

/// A message of a queue, as an answer has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// What it is told from others by.
    #[serde(rename = "MessageId")]
    pub id: String,
    /// What shows that it was got last by whoever has this.
    #[serde(rename = "PopReceipt")]
    pub receipt: String,
    /// How often it was got: 0 in the answer to whoever puts it.
    #[serde(rename = "DequeueCount", default)]
    pub dequeues: u32,
    /// What was put: empty in the answer to whoever puts it.
    #[serde(rename = "MessageText", default)]
    pub text: String,
}

#[derive(Deserialize)]
enum Answer {
    QueueMessagesList {
        #[serde(rename = "QueueMessage", default)]
        messages: Vec<Message>,
    },
}

impl Message {
    /// Those of `answer`, which is XML ("Get Messages", "Put Message").
    ///
    /// # Errors
    ///
    /// If it is no such answer.
    pub fn all(answer: &str) -> io::Result<Vec<Self>> {
        let Answer::QueueMessagesList { messages } =
            quick_xml::de::from_str(answer).map_err(io::Error::other)?;
        Ok(messages)
    }
}

/// Microsoft's emulator of Queue Storage on this machine, in memory, which ends with its holder.
#[derive(Debug)]
pub struct Azurite {
    _process: Watched,
    port: u16,
}

impl Azurite {
    /// Whether it can be started.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is not installed.
    pub fn find() -> Result<PathBuf, Missing> {
        installed("azurite", "azurite-queue")
    }

    /// Starts the one at `program`, and waits until it answers. What it says goes to a file in
    /// `folder`.
    ///
    /// # Errors
    ///
    /// Those of the machine, and if it does not answer in time.
    pub fn start(program: &Path, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let arguments = [
            "--queueHost",
            "127.0.0.1",
            "--queuePort",
            &port.to_string(),
            "--inMemoryPersistence",
            "--disableTelemetry",
        ];
        let log = folder.join("azurite.log");
        let process = Watched::start(program, &arguments.map(str::to_owned), &log)?;
        let azurite = Self { _process: process, port };
        let start = Instant::now();
        while azurite.create_queue("ready").is_err() {
            if start.elapsed() > START_MAX {
                let message = format!("azurite does not answer; it says {}", log.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(azurite)
    }

    /// The URL of the queue `name`, with a signature that permits everything.
    pub fn queue(&self, name: &str) -> String {
        format!("{}?{SIGNATURE}", self.at(name))
    }

    /// Makes the queue `name` ("Create Queue").
    ///
    /// # Errors
    ///
    /// If it is refused, or nobody answers.
    pub fn create_queue(&self, name: &str) -> io::Result<()> {
        let request = ureq::put(self.queue(name)).header("x-ms-version", "2021-12-02");
        request.send_empty().map_err(io::Error::other)?;
        Ok(())
    }

    /// Gets up to 32 messages of the queue `name` that are visible, and hides them for `seconds`
    /// ("Get Messages").
    ///
    /// # Errors
    ///
    /// If it is refused, or nobody answers.
    pub fn messages(&self, name: &str, seconds: u32) -> io::Result<Vec<Message>> {
        let wanted = format!("numofmessages=32&visibilitytimeout={seconds}");
        let url = format!("{}/messages?{wanted}&{SIGNATURE}", self.at(name));
        let request = ureq::get(url).header("x-ms-version", "2021-12-02");
        let mut answer = request.call().map_err(io::Error::other)?;
        let answer = answer.body_mut().read_to_string().map_err(io::Error::other)?;
        Message::all(&answer)
    }

    /// Puts the message `text`, which XML takes as it is, into the queue `name` ("Put Message").
    ///
    /// # Errors
    ///
    /// If it is refused, or nobody answers.
    pub fn put(&self, name: &str, text: &str) -> io::Result<()> {
        let url = format!("{}/messages?messagettl=-1&{SIGNATURE}", self.at(name));
        let request = ureq::post(url).header("x-ms-version", "2021-12-02");
        let message = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        request.send(message).map_err(io::Error::other)?;
        Ok(())
    }

    /// Deletes a message of the queue `name` that was got, by what came with it ("Delete Message").
    ///
    /// # Errors
    ///
    /// If it is refused, or nobody answers.
    pub fn delete(&self, name: &str, id: &str, receipt: &str) -> io::Result<()> {
        let receipt = receipt.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
        let url = format!("{}/messages/{id}?popreceipt={receipt}&{SIGNATURE}", self.at(name));
        let request = ureq::delete(url).header("x-ms-version", "2021-12-02");
        request.call().map_err(io::Error::other)?;
        Ok(())
    }

    fn at(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/devstoreaccount1/{name}", self.port)
    }
}
