//! `schemas`: what an operator is told of a type that changed, and what is written.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

mod common;

use std::convert::Infallible;
use std::path::PathBuf;

use common::{Ran, app, run_on};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use skyfold::{App, Category, Decider};
use skyfold_cli::{Cli, Console, Exit};
use skyfold_memory::Memory;

/// The tally of a release whose events have a field more, and no new version.
struct Changed;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
enum Event {
    Added { amount: u64, owner: String, note: Option<String> },
    WrittenOff,
}

impl Decider for Changed {
    const CATEGORY: Category = "tally";
    type State = ();
    type Command = ();
    type Event = Event;
    type Error = Infallible;

    fn decide((): &(), (): ()) -> Result<Vec<Event>, Infallible> {
        Ok(vec![])
    }

    fn evolve((): &mut (), _: &Event) {}
}

fn changed() -> App {
    App::new("probe").decider::<Changed>()
}

/// A folder of its own, which is removed in the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    /// Runs `words` of `app`, whose schemas are locked here.
    async fn run(&self, app: App, words: &[&str]) -> Ran {
        let (console, captured) = Console::captured();
        let cli = Cli::new(app, Memory::new().ports()).schemas(&self.0);
        run_on(cli, words, console, &captured).await
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.0.join(name)).unwrap()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const LOCKED: [&str; 4] = [
    "tally.Added.v1.golden.json",
    "tally.Added.v1.schema.json",
    "tally.WrittenOff.v1.golden.json",
    "tally.WrittenOff.v1.schema.json",
];

#[tokio::test]
async fn what_is_not_locked_is_accepted_once() {
    let place = Place::new("schemas-accept");
    let new = place.run(app(), &["schemas", "check"]).await;
    assert_eq!(new.exit, Exit::Failed, "{new:?}");
    let fix = "  fix: run `probe schemas accept`, and commit what it writes\n";
    assert!(new.out.contains("tally.Added.v1: it is not locked"), "{new:?}");
    assert!(new.out.contains(fix), "{new:?}");
    assert_eq!(place.names(), Vec::<String>::new(), "a check writes nothing");
    let accepted = place.run(app(), &["schemas", "accept"]).await;
    assert_eq!(accepted.exit, Exit::Done, "{accepted:?}");
    assert_eq!(accepted.out.matches("written: tally.").count(), 4, "{accepted:?}");
    assert_eq!(place.names(), LOCKED);
    let again = place.run(app(), &["schemas", "accept", "--json"]).await;
    assert_eq!((again.exit, &again.json()[0]), (Exit::Done, &json!({ "files": [] })));
    let checked = place.run(app(), &["schemas", "check"]).await;
    assert_eq!(checked.exit, Exit::Done, "{checked:?}");
    assert_eq!(checked.out, "everything is read and written as it is locked\n");
}

#[tokio::test]
async fn a_type_that_changed_without_a_version_fails_with_the_difference_and_the_fix() {
    let place = Place::new("schemas-changed");
    place.run(app(), &["schemas", "accept"]).await;
    let before = place.read(LOCKED[1]);
    let found = place.run(changed(), &["schemas", "check"]).await;
    assert_eq!(found.exit, Exit::Failed, "{found:?}");
    assert_eq!(
        found.out,
        "tally.Added.v1: it has changed, and is still version 1\n  \
           ~ amount: was an integer (uint32), is an integer (uint64)\n  \
           + note: text or null, optional\n  \
           fix: add `.then(\"Added\", |data| …)` to the upcasters of tally, which begins version \
         2, and run `probe schemas accept`\n"
    );
    let told = place.run(changed(), &["schemas", "check", "--json"]).await;
    let finding = &told.json()[0]["findings"][0];
    assert_eq!(
        (&finding["subject"], &finding["kind"]),
        (&json!("tally.Added.v1"), &json!("changed"))
    );
    assert_eq!(finding["differences"][1]["path"], "note", "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains(".then(\"Added\""), "{finding}");
    let accepted = place.run(changed(), &["schemas", "accept"]).await;
    assert_eq!(accepted.exit, Exit::Failed, "what is locked is not written over: {accepted:?}");
    assert!(!accepted.out.contains("written:"), "{accepted:?}");
    assert_eq!(
        (place.names(), place.read(LOCKED[1])),
        (LOCKED.map(str::to_owned).to_vec(), before)
    );
}

#[tokio::test]
async fn another_folder_may_be_named() {
    let (place, other) = (Place::new("schemas-none"), Place::new("schemas-other"));
    let folder = other.0.to_str().unwrap();
    let accepted = place.run(app(), &["schemas", "accept", "--folder", folder]).await;
    assert_eq!(accepted.exit, Exit::Done, "{accepted:?}");
    assert_eq!((place.names(), other.names()), (vec![], LOCKED.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn schemas_are_exported_in_either_language() {
    let (place, to) = (Place::new("schemas-from"), Place::new("schemas-to"));
    place.run(app(), &["schemas", "accept"]).await;
    let folder = to.0.to_str().unwrap();
    let exported = place.run(app(), &["schemas", "export", folder]).await;
    assert_eq!(exported.exit, Exit::Done, "{exported:?}");
    assert_eq!(to.names(), ["tally.Added.v1.schema.json", "tally.WrittenOff.v1.schema.json"]);
    let added = to.read("tally.Added.v1.schema.json");
    assert_eq!(added["$id"], "urn:probe:tally.Added.v1", "{added}");
    let words = ["schemas", "export", folder, "--format", "avro", "--json"];
    let exported = place.run(app(), &words).await;
    let files = json!(["tally.Added.v1.avsc", "tally.WrittenOff.v1.avsc"]);
    assert_eq!((exported.exit, &exported.json()[0]["files"]), (Exit::Done, &files), "{exported:?}");
    let added = to.read("tally.Added.v1.avsc");
    assert_eq!((&added["name"], &added["namespace"]), (&json!("Added"), &json!("probe.tally.v1")));
    assert_eq!(added["fields"][0]["type"], "long", "{added}");
}
