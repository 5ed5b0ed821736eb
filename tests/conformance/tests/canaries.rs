//! Personal data are planted and looked for in every byte that memory keeps and in every log.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by a panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conformance::domain::{Cards, Member, MemberCommand, Profile, members};
use skyfold::ports::Keyring;
use skyfold::{
    CommandId, CommandRequest, Decider, ForgetRequest, Metadata, NewEvent, Payload, Personal,
    Projection, Reply, Result, Runtime, StreamId, Trigger, ViewRequest,
};
use skyfold_memory::{Faults, Memory, VirtualClock};
use tracing_subscriber::fmt::MakeWriter;

const CANARY: &str = "Canary-Clementine";

/// What was logged.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logs {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn ada() -> StreamId {
    StreamId::new("ada").unwrap()
}

fn introduce() -> Payload {
    let profile = Personal::new(ada(), Profile { name: CANARY.into(), age: 40 });
    let guests = vec![Personal::new(ada(), format!("{CANARY}'s guest"))];
    Payload::encode(&MemberCommand::Introduce { profile, guests }).unwrap()
}

async fn give(runtime: &Runtime, stream: &str, command: Payload) -> Result<Reply> {
    let (stream, id) = (StreamId::new(stream)?, CommandId::fresh(runtime.now()));
    let metadata = Metadata::default();
    let request = CommandRequest { stream, id, command, expected: None, metadata };
    runtime.invoke(Member::CATEGORY, Trigger::Command(request)).await
}

async fn card(runtime: &Runtime, key: &str) -> String {
    let request = ViewRequest { key: key.into(), after: None };
    match runtime.invoke(Cards::NAME, Trigger::View(request)).await.unwrap() {
        Reply::Answer(answer) => answer.body.to_string(),
        reply => panic!("a card is shown, not {reply:?}"),
    }
}

/// Fails if the canary is anywhere in what `memory` keeps, encoded or not.
#[track_caller]
fn search(memory: &Memory, when: &str) {
    let texts = memory.texts();
    for text in &texts {
        assert!(!text.contains(CANARY), "{when}: {text}");
        for sealed in text.split("\"sealed\":\"").skip(1).filter_map(|part| part.split('"').next())
        {
            let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();
            let found = bytes.windows(6).any(|window| CANARY.as_bytes().starts_with(window));
            assert!(!found, "{when}: it is encoded, not sealed: {sealed}");
        }
    }
}

/// An event that no reader of this release can read, since its personal value is of another type.
async fn write_poison(runtime: &Runtime) {
    let mark = format!(r#"{{"_personal":{{"subject":"ada","value":"{CANARY}"}}}}"#);
    let data = Payload::parse(&format!(r#"{{"profile":{mark},"guests":[]}}"#)).unwrap();
    let event = NewEvent { event_type: "Introduced".into(), schema: 1, data };
    let (id, now) = (CommandId::fresh(runtime.now()), runtime.now());
    let commit = skyfold::Commit::new(id, 0, now, Metadata::default(), vec![event]).unwrap();
    let head = skyfold::Head::empty("member-poison".parse().unwrap());
    runtime.ports().events.append(&head, &commit).await.unwrap();
}

/// What goes wrong with personal data on the way in.
async fn give_what_cannot_be_read(runtime: &Runtime) {
    let mark = format!(r#"{{"_personal":{{"subject":"ada","value":"{CANARY}"}}}}"#);
    for malformed in [
        format!(r#"{{"Introduce":{{"profile":{mark},"guests":[]}}}}"#),
        format!(r#"{{"Introduce":{{"profile":"{CANARY}","guests":[]}}}}"#),
        format!(r#"{{"Introduce":{{"profile":{{"_personal":"{CANARY}"}},"guests":[]}}}}"#),
    ] {
        give(runtime, "odd", Payload::parse(&malformed).unwrap()).await.unwrap_err();
    }
}

async fn live(memory: &Memory, clock: &VirtualClock) {
    let runtime = members().bind(memory.ports()).unwrap();
    give(&runtime, "1", introduce()).await.unwrap();
    search(memory, "recorded");
    let commits = runtime.ports().feed.latest(1).await.unwrap();
    runtime.invoke("relay", Trigger::Commits(commits)).await.unwrap();
    search(memory, "announced, and not heard yet");
    memory.settle(&runtime).await.unwrap();
    assert!(memory.pending().delayed > 0, "a greeting waits");
    search(memory, "settled, with a command that waits");
    let load = Payload::encode(&MemberCommand::Load { bytes: 20_000 }).unwrap();
    give(&runtime, "1", load.clone()).await.unwrap();
    search(memory, "kept in a snapshot");
    give_what_cannot_be_read(&runtime).await;
    write_poison(&runtime).await;
    memory.settle(&runtime).await.unwrap();
    assert!(!memory.dead_letters().is_empty(), "what cannot be read is set aside");
    search(memory, "set aside");
    assert!(card(&runtime, "1").await.contains(CANARY), "all the while it can be seen");

    let request = ForgetRequest { subject: ada(), by: "support".into(), reason: "asked".into() };
    runtime.privacy().forget(&request).await.unwrap();
    assert_eq!(memory.ports().keys.get(&[ada()]).await.unwrap(), [Keyring::Destroyed]);
    assert!(!card(&runtime, "1").await.contains(CANARY), "in the process that knew it");
    memory.settle_through_time(&runtime, Duration::from_secs(7200)).await.unwrap();
    assert_eq!(memory.pending().delayed, 0);
    assert!(card(&runtime, "1").await.contains(r#""letters":2"#), "what waited has come");
    give(&runtime, "1", load).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let later = members().bind(memory.ports()).unwrap();
    for runtime in [runtime, later] {
        assert!(!card(&runtime, "1").await.contains(CANARY));
        let state = Trigger::State(StreamId::new("1").unwrap(), skyfold::AsOf::Now);
        let state = format!("{:?}", runtime.invoke("member", state).await.unwrap());
        assert!(state.contains("letters") && !state.contains(CANARY), "{state}");
    }
    search(memory, "forgotten");
}

#[tokio::test(flavor = "current_thread")]
async fn no_byte_of_the_store_and_no_line_of_a_log_holds_personal_data() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logs.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let clock = VirtualClock::new();
    live(&Memory::with_clock(clock.clone()), &clock).await;
    let clock = VirtualClock::new();
    // Faults trace what passes, and fail what is on its way.
    let faults = Faults { duplicate: 0.3, reorder: 0.5, ..Faults::none() };
    live(&Memory::with_faults(faults, clock.clone()), &clock).await;
    let logs = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("a subject was forgotten") && logs.contains("failed"), "{logs}");
    assert!(!logs.contains(CANARY), "{logs}");
}

#[tokio::test(flavor = "current_thread")]
async fn the_search_finds_what_is_not_sealed() {
    let memory = Memory::new();
    let runtime = members().bind(memory.ports()).unwrap();
    let note = MemberCommand::Note { anything: serde_json::json!(CANARY) };
    give(&runtime, "1", Payload::encode(&note).unwrap()).await.unwrap();
    assert!(memory.texts().iter().any(|text| text.contains(CANARY)));
}
