use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use conformance::domain::app;
use conformance::faults::{Fault, Faulty, Request as Asked, tapped};
use serde_json::{Value, json};
use skyfold::ports::QueuedCommand;
use skyfold::{Error, ErrorKind, Result};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::scene::{Scene, Small};
use crate::host::Callers;
use crate::host::messages::{Inbox, Messages};
use crate::host::program::work;
use crate::host::work::{Commands, Found, QUEUE, RELAY, Relay, Sweep, Work, repeat};
use crate::inbox::Message;

/// How long the whole program may take, on a busy machine.
const REST_MAX: Duration = Duration::from_secs(30);

/// A queue in memory whose messages are visible again as soon as a test says so.
#[derive(Debug, Default)]
struct Waiting {
    messages: Mutex<Vec<Held>>,
    small: Small,
}

#[derive(Debug)]
struct Held {
    text: String,
    dequeued: u32,
    /// For how long it is hidden, if it is.
    hidden: Option<Duration>,
}

impl Waiting {
    /// One of this text, which was taken so often before.
    fn of(text: &str, dequeued: u32) -> Arc<Self> {
        let queue = Arc::new(Self::default());
        let held = Held { text: text.to_owned(), dequeued, hidden: None };
        queue.messages.lock().unwrap().push(held);
        queue
    }

    /// Shows what is hidden, and tells for how long it would have been: of each message.
    fn show(&self) -> Vec<Duration> {
        let mut messages = self.messages.lock().unwrap();
        messages.iter_mut().map(|held| held.hidden.take().unwrap()).collect()
    }
}

#[async_trait]
impl Messages for Waiting {
    async fn open(&self, text: &str) -> Result<Option<QueuedCommand>> {
        self.small.open(text).await
    }

    async fn close(&self, text: &str) -> Result<()> {
        self.small.close(text).await
    }
}

#[async_trait]
impl Inbox for Waiting {
    async fn receive(&self, count: usize, hidden: Duration) -> Result<Vec<Message>> {
        let mut messages = self.messages.lock().unwrap();
        let visible = messages.iter_mut().filter(|held| held.hidden.is_none()).take(count);
        let received = visible.map(|held| {
            (held.dequeued, held.hidden) = (held.dequeued + 1, Some(hidden));
            Message::new(held.text.clone(), held.text.clone(), held.dequeued)
        });
        Ok(received.collect())
    }

    async fn delete(&self, message: &Message) -> Result<()> {
        self.messages.lock().unwrap().retain(|held| held.text != message.id());
        Ok(())
    }

    async fn hide(&self, message: &Message, hidden: Duration) -> Result<()> {
        let mut messages = self.messages.lock().unwrap();
        let held = messages.iter_mut().find(|held| held.text == message.id()).unwrap();
        held.hidden = Some(hidden);
        Ok(())
    }
}

/// A command to the account `ada` of `category`.
fn queued(category: &str, id: &str, command: Value) -> String {
    let request = json!({ "stream": "ada", "id": id, "command": command });
    json!({ "category": category, "request": request }).to_string()
}

fn open() -> String {
    queued("account", "c-1", json!({ "Open": { "owner": "Ada" } }))
}

fn commands(scene: &Scene, inbox: &Arc<Waiting>) -> Commands {
    let (runtime, inbox) = (scene.runtime.clone(), inbox.clone());
    Commands { runtime, inbox, news: Arc::default() }
}

fn announced(scene: &Scene) -> Vec<String> {
    let announced = scene.bus.announced.lock().unwrap();
    announced.iter().map(|event| event.id.to_string()).collect()
}

/// An account with an owner and 5 cents.
async fn scene() -> Scene {
    let scene = Scene::new();
    scene.give("c-1", json!({ "Open": { "owner": "Ada" } })).await;
    scene.give("c-2", json!({ "Deposit": { "cents": 5 } })).await;
    scene
}

/// Does what there is to do for each slice.
async fn pass(relays: &mut [Relay]) -> Result<Found> {
    let mut found = Found::Nothing;
    for relay in relays {
        if relay.pass().await? == Found::Some {
            found = Found::Some;
        }
    }
    Ok(found)
}

#[tokio::test]
async fn what_is_recorded_is_announced_once_by_whatever_process() {
    let scene = scene().await;
    let mut relay = Relay::all(&scene.runtime).unwrap();
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Some);
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Nothing);
    assert_eq!(announced(&scene), ["account-ada@1", "account-ada@2"]);
    scene.give("c-3", json!({ "Deposit": { "cents": 5 } })).await;
    let mut later = Relay::all(&scene.runtime).unwrap();
    assert_eq!(pass(&mut later).await.unwrap(), Found::Some);
    assert_eq!(pass(&mut later).await.unwrap(), Found::Nothing);
    assert_eq!(announced(&scene)[2..], ["account-ada@3"]);
    // The first one does not know yet, and looks where the other is.
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Some);
    scene.give("c-4", json!({ "Deposit": { "cents": 5 } })).await;
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Some);
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Nothing);
    assert_eq!(announced(&scene)[3..], ["account-ada@3", "account-ada@4"]);
}

#[tokio::test]
async fn what_cannot_be_announced_is_announced_later() {
    let scene = scene().await;
    *scene.bus.is_closed.lock().unwrap() = true;
    let mut relay = Relay::all(&scene.runtime).unwrap();
    for _ in 0..2 {
        assert!(pass(&mut relay).await.unwrap_err().is_transient());
    }
    *scene.bus.is_closed.lock().unwrap() = false;
    assert_eq!(pass(&mut relay).await.unwrap(), Found::Some);
    assert_eq!(announced(&scene), ["account-ada@1", "account-ada@2"]);
}

#[tokio::test(start_paused = true)]
async fn a_slice_that_fails_for_good_keeps_back_no_other() {
    let scene = Scene::new();
    let is_first = |asked: &Asked<'_>| matches!(asked, Asked::Feed(0, _));
    let always = std::iter::repeat_n(Some(Fault::Before(ErrorKind::Corrupt)), 100_000);
    let faults = Faulty::new(is_first, always);
    let runtime = app().bind(tapped(scene.runtime.ports().clone(), faults.clone())).unwrap();
    let (news, (stop, stopped)) = (Arc::new(Notify::new()), watch::channel(false));
    let relays = Relay::all(&runtime).unwrap().into_iter();
    let of = |relay| tokio::spawn(repeat(relay, RELAY, news.clone(), stopped.clone()));
    let working: Vec<_> = relays.map(of).collect();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let attempts = 100_000 - faults.left();
    assert!((40..=200).contains(&attempts), "ever more rarely: {attempts}");
    scene.give("c-1", json!({ "Open": { "owner": "Ada" } })).await;
    news.notify_waiters();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(announced(&scene), ["account-ada@1"], "at once");
    scene.give("c-2", json!({ "Deposit": { "cents": 5 } })).await;
    tokio::time::sleep(Duration::from_millis(10_000)).await;
    assert_eq!(announced(&scene)[1..], ["account-ada@2"], "and whenever it is time");
    stop.send_replace(true);
    for work in working {
        work.await.unwrap();
    }
}

#[tokio::test]
async fn a_command_runs_and_its_message_is_gone() {
    let scene = Scene::new();
    let inbox = Waiting::of(&open(), 0);
    let mut commands = commands(&scene, &inbox);
    assert_eq!(commands.pass().await.unwrap(), Found::Some);
    assert_eq!(commands.pass().await.unwrap(), Found::Nothing);
    assert_eq!(scene.commits().await.len(), 1);
    assert!(inbox.messages.lock().unwrap().is_empty());
    assert_eq!(*inbox.small.closed.lock().unwrap(), [open()]);
}

#[tokio::test]
async fn the_message_of_a_command_that_was_done_is_gone() {
    let scene = Scene::new();
    let inbox = Waiting::of(&open(), 1);
    inbox.small.done.lock().unwrap().push(open());
    commands(&scene, &inbox).pass().await.unwrap();
    assert!(scene.commits().await.is_empty());
    assert!(inbox.messages.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_command_that_fails_comes_again_and_ever_later() {
    let scene = Scene::new();
    let inbox = Waiting::of(&open(), 0);
    let mut commands = commands(&scene, &inbox);
    let mut waits = vec![];
    for _ in 0..6 {
        scene.fail(1, ErrorKind::Unexpected);
        commands.pass().await.unwrap();
        waits.extend(inbox.show());
    }
    assert_eq!(waits.len(), 6);
    for (nth, wait) in waits.iter().enumerate() {
        let about = 2_u64.pow(nth as u32) as f64;
        let wait = wait.as_secs_f64();
        assert!((1_f64.max(about * 0.5)..=about * 1.5).contains(&wait), "{nth}: {wait}");
    }
    commands.pass().await.unwrap();
    assert_eq!(scene.commits().await.len(), 1);
    assert!(inbox.messages.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_fails_for_a_day_is_a_dead_letter_and_its_message_is_gone() {
    let scene = Scene::new();
    let inbox = Waiting::of(&open(), 148);
    let mut commands = commands(&scene, &inbox);
    for (letters, left) in [(0, 1), (1, 0)] {
        // Core tries it several times.
        scene.fail(5, ErrorKind::Unavailable);
        commands.pass().await.unwrap();
        assert_eq!(scene.letters().await, letters);
        assert_eq!(inbox.messages.lock().unwrap().len(), left);
        inbox.show();
    }
    assert!(scene.commits().await.is_empty(), "it is for people to decide");
    assert_eq!(*inbox.small.closed.lock().unwrap(), [open()]);
}

#[tokio::test]
async fn a_command_that_nobody_takes_is_a_dead_letter() {
    let scene = Scene::new();
    let inbox = Waiting::of(&queued("gate", "c-1", json!({ "Open": { "owner": "Ada" } })), 4);
    commands(&scene, &inbox).pass().await.unwrap();
    assert_eq!(scene.letters().await, 1);
    assert!(inbox.messages.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_never_deleted() {
    for text in ["", "hello", "{}", "[1]"] {
        let scene = Scene::new();
        let inbox = Waiting::of(text, 1_000);
        commands(&scene, &inbox).pass().await.unwrap();
        let [wait] = inbox.show()[..] else { panic!("{text} is gone") };
        assert!((300.0..=900.0).contains(&wait.as_secs_f64()), "{text}: {wait:?}");
        assert_eq!(scene.letters().await, 0);
    }
}

#[tokio::test]
async fn the_sweep_announces_what_nobody_has_heard_of() {
    let scene = scene().await;
    scene.clock.advance(Duration::from_secs(3600));
    let mut sweep = Sweep { runtime: scene.runtime.clone() };
    assert_eq!(sweep.pass().await.unwrap(), Found::Nothing);
    assert_eq!(announced(&scene), ["account-ada@2"], "the stream, once");
}

/// Work that notes when it was done, and how it ended by that time.
struct Noted {
    times: Arc<Mutex<Vec<Instant>>>,
    fails: bool,
}

impl Work for Noted {
    const NAME: &'static str = "noted";

    async fn pass(&mut self) -> Result<Found> {
        self.times.lock().unwrap().push(Instant::now());
        match self.fails {
            true => Err(Error::new(ErrorKind::Unavailable, "it fails")),
            false => Ok(Found::Nothing),
        }
    }
}

/// How often work is done in ten minutes of which nothing comes, or with `news` each second.
async fn repeated(fails: bool, has_news: bool) -> usize {
    let (times, news) = (Arc::new(Mutex::new(vec![])), Arc::new(Notify::new()));
    let (stop, stopped) = watch::channel(false);
    let work = Noted { times: times.clone(), fails };
    let repeating = tokio::spawn(repeat(work, QUEUE, news.clone(), stopped));
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if has_news {
            news.notify_waiters();
        }
    }
    stop.send_replace(true);
    let end = Instant::now();
    repeating.await.unwrap();
    assert_eq!(Instant::now(), end, "it stops at once");
    times.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn work_is_looked_for_rarely_when_there_is_none_and_more_rarely_while_it_fails() {
    let (idle, failing) = (repeated(false, false).await, repeated(true, false).await);
    assert!((200..=600).contains(&idle), "{idle}");
    assert!((8..=30).contains(&failing), "{failing}");
    assert!(repeated(false, true).await >= 600, "news is no reason to wait");
    let failing = repeated(true, true).await;
    assert!(failing <= 30, "while it fails news is no reason to hurry: {failing}");
}

/// Holds up whoever runs a command.
#[derive(Debug)]
struct Slow {
    inner: Arc<Waiting>,
    begun: AtomicU32,
}

#[async_trait]
impl Messages for Slow {
    async fn open(&self, text: &str) -> Result<Option<QueuedCommand>> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.inner.open(text).await
    }

    async fn close(&self, text: &str) -> Result<()> {
        self.inner.close(text).await
    }
}

#[async_trait]
impl Inbox for Slow {
    async fn receive(&self, count: usize, hidden: Duration) -> Result<Vec<Message>> {
        self.inner.receive(count, hidden).await
    }

    async fn delete(&self, message: &Message) -> Result<()> {
        self.inner.delete(message).await
    }

    async fn hide(&self, message: &Message, hidden: Duration) -> Result<()> {
        self.inner.hide(message, hidden).await
    }
}

#[tokio::test]
async fn the_program_does_all_of_it_and_ends_what_it_has_begun() {
    let scene = Scene::new();
    let inner = Waiting::of(&open(), 0);
    let inbox = Arc::new(Slow { inner: inner.clone(), begun: AtomicU32::new(0) });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/account/ada/deposit", listener.local_addr().unwrap());
    let (stop, mut stopped) = watch::channel(false);
    let stopped = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    let (runtime, callers) = (scene.runtime.clone(), Callers::anybody());
    let working = tokio::spawn(work(listener, runtime, inbox.clone(), callers, stopped));
    let start = Instant::now();
    while announced(&scene).is_empty() {
        assert!(start.elapsed() < REST_MAX, "nobody announces what the queue has brought");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let request = reqwest::Client::new().post(url).header("content-type", "application/json");
    assert!(request.body(r#"{"cents":5}"#).send().await.unwrap().status().is_success());
    while announced(&scene) != ["account-ada@1", "account-ada@2"] {
        assert!(start.elapsed() < REST_MAX, "nobody announces what was asked over HTTP");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let deposit = queued("account", "c-2", json!({ "Deposit": { "cents": 5 } }));
    let held = Held { text: deposit, dequeued: 0, hidden: None };
    inner.messages.lock().unwrap().push(held);
    while inbox.begun.load(Ordering::Relaxed) < 2 {
        assert!(start.elapsed() < REST_MAX, "nobody takes the second command");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send_replace(true);
    working.await.unwrap().unwrap();
    assert_eq!(scene.commits().await.len(), 3, "what had begun has ended");
    assert!(inner.messages.lock().unwrap().is_empty());
}
