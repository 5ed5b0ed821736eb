//! What a caller keeps is not confirmed once part of it was forgotten.

use std::convert::Infallible;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use skyfold::{
    App, Category, Decider, ForgetRequest, Personal, Projection, RecordedEvent, StreamId,
    Subscription,
};
use skyfold_http::Options;
use skyfold_memory::Memory;

use crate::client::{Answer, Bench};

struct Guest;

type Name = Option<Personal<String>>;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
enum Command {
    Arrive { name: Personal<String> },
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
enum Event {
    Arrived { name: Personal<String> },
}

impl Decider for Guest {
    const CATEGORY: Category = "guest";
    type State = Name;
    type Command = Command;
    type Event = Event;
    type Error = Infallible;

    fn decide(_: &Name, Command::Arrive { name }: Command) -> Result<Vec<Event>, Infallible> {
        Ok(vec![Event::Arrived { name }])
    }

    fn evolve(state: &mut Name, Event::Arrived { name }: &Event) {
        *state = Some(name.clone());
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Card {
    name: Personal<String>,
}

impl Projection for Card {
    const NAME: &'static str = "card";
    type Input = Event;
    type View = Self;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Guest>()
    }

    fn project(_: &str, _: Option<Self>, event: &RecordedEvent<Event>) -> Option<Self> {
        let Event::Arrived { name } = &event.data;
        Some(Self { name: name.clone() })
    }
}

/// A guest whose name is Ada.
async fn arrived() -> Bench {
    let memory = Memory::new();
    let app = App::new("hotel").decider::<Guest>().projection::<Card>();
    let runtime = app.bind(memory.ports()).unwrap();
    let bench = Bench::of(memory, runtime, Options::default());
    let name = json!({ "_personal": { "subject": "guest-7", "value": "Ada" } });
    let answer = bench.post("/guest/1/arrive", &json!({ "name": name }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    bench.settle().await;
    bench
}

/// What is at `path` for whoever has `tag`.
async fn again(bench: &Bench, path: &str, tag: &str) -> Answer {
    bench.get_with(path, &[("if-none-match", tag)]).await
}

#[tokio::test]
async fn what_a_caller_keeps_is_not_confirmed_after_part_of_it_was_forgotten() {
    let bench = arrived().await;
    let paths = [("/card/1", "/name"), ("/guest/1", "/state")];
    let mut tags = vec![];
    for (path, name) in paths {
        let shown = bench.get(path).await;
        assert_eq!(shown.json().pointer(name), Some(&json!("Ada")), "{shown:?}");
        let tag = shown.header("etag").to_owned();
        assert_eq!(again(&bench, path, &tag).await.status, 304, "{path}");
        tags.push(tag);
    }
    let subject = StreamId::new("guest-7").unwrap();
    let request = ForgetRequest { subject, by: "office".into(), reason: "asked".into() };
    bench.runtime.privacy().forget(&request).await.unwrap();
    for ((path, name), tag) in paths.into_iter().zip(tags) {
        let shown = again(&bench, path, &tag).await;
        assert_eq!(shown.status, 200, "{path} is confirmed, and stays with the caller: {shown:?}");
        assert_eq!(shown.json().pointer(name), Some(&Value::Null), "{shown:?}");
    }
    let tag = bench.get("/card/1").await.header("etag").to_owned();
    assert_eq!(again(&bench, "/card/1", &tag).await.status, 304, "what is left may be kept");
    let tag = bench.get("/guest/1").await.header("etag").to_owned();
    let command = json!({ "name": { "_personal": { "subject": "guest-8", "value": "Bob" } } });
    let headers = [("if-match", tag.as_str())];
    let answer = bench.post_with("/guest/1/arrive", &command.to_string(), &headers).await;
    assert_eq!(answer.status, 200, "the tag of a state is its version still: {answer:?}");
}
