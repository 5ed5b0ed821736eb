//! What a check finds of every change that a domain can make to what it has recorded.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use std::convert::Infallible;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use skyfold::{App, Category, Data, Decider, Snapshots, Upcasters};
use skyfold_schemas::{FindingKind, Folder, Report, accept, check};

/// One release of the events of a ticket.
trait Release: Data {
    const FORMAT: u32 = 1;
    fn upcasters() -> Upcasters {
        Upcasters::default()
    }
    fn weight() -> u64 {
        1
    }
}

struct Ticket<E>(PhantomData<fn(E)>);

impl<E: Release> Decider for Ticket<E> {
    const CATEGORY: Category = "ticket";
    const SNAPSHOTS: Snapshots = Snapshots::format(E::FORMAT);
    type State = u64;
    type Command = ();
    type Event = E;
    type Error = Infallible;

    fn decide(_: &u64, (): ()) -> Result<Vec<E>, Infallible> {
        Ok(vec![])
    }

    fn evolve(state: &mut u64, _: &E) {
        *state += E::weight();
    }

    fn upcasters() -> Upcasters {
        E::upcasters()
    }
}

fn app<E: Release>() -> App {
    App::new("office").decider::<Ticket<E>>()
}

/// A folder of its own, which is removed in the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("lock-{}-{nth}", std::process::id())))
    }

    /// The same, in which the release `E` is locked.
    fn with<E: Release>() -> Self {
        let place = Self::new();
        let accepted = accept(&app::<E>(), &place.folder()).unwrap();
        assert!(accepted.report.is_clean() && !accepted.files.is_empty(), "{}", accepted.report);
        place
    }

    fn folder(&self) -> Folder {
        Folder::new(&self.0)
    }

    fn check<E: Release>(&self) -> Report {
        check(&app::<E>(), &self.folder()).unwrap()
    }

    fn read(&self, file: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.0.join(file)).unwrap()).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::create_dir_all(&self.0).unwrap();
        std::fs::write(self.0.join(file), text).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Defines a release, in a module of its own so that its types have the names of any other's.
macro_rules! release {
    ($module:ident { $($item:item)* } $(impl { $($method:tt)* })?) => {
        mod $module {
            use super::*;
            $(#[derive(Clone, Serialize, Deserialize, JsonSchema)] $item)*
            impl Release for Event { $($($method)*)? }
        }
    };
}

release!(first {
    pub(super) enum Event {
        Issued { title: String, seats: Vec<Seat>, note: Option<String> },
        Used,
    }
    pub(super) struct Seat { row: u32, kind: Kind }
    pub(super) enum Kind { Plain, Boxed { door: u32 } }
});

/// What a check finds of `Changed` where the first release is locked.
fn found<Changed: Release>() -> (FindingKind, Vec<String>, String) {
    let mut report = Place::with::<first::Event>().check::<Changed>();
    assert_eq!(report.findings.len(), 1, "{report}");
    let finding = report.findings.remove(0);
    let differences = finding.differences.iter().map(ToString::to_string).collect();
    (finding.kind, differences, finding.fix)
}

/// Asserts that `Changed` has changed the form of its events in these ways.
fn assert_changed<Changed: Release>(expected: &[&str]) {
    let (kind, differences, fix) = found::<Changed>();
    assert_eq!(
        (kind, differences),
        (FindingKind::Changed, expected.iter().map(|e| (*e).into()).collect())
    );
    assert!(fix.contains(".then(\"Issued\"") && fix.contains("office schemas accept"), "{fix}");
}

#[test]
fn what_is_locked_is_clean_and_stays_as_it_is() {
    let place = Place::with::<first::Event>();
    assert!(place.check::<first::Event>().is_clean());
    let again = accept(&app::<first::Event>(), &place.folder()).unwrap();
    assert_eq!(again.files, Vec::<String>::new());
    let golden = place.read("ticket.Issued.v1.golden.json");
    let seat = |kind: Value| json!({ "row": 1, "kind": kind });
    assert_eq!(golden[0]["seats"], json!([seat(json!("Plain"))]), "{golden}");
    assert_eq!(golden[1], json!({ "title": "title", "seats": [], "note": null }), "{golden}");
    assert_eq!(golden[2]["seats"], json!([seat(json!({ "Boxed": { "door": 1 } }))]), "{golden}");
    assert_eq!(place.read("ticket.Used.v1.golden.json"), json!([null]));
}

release!(commented {
    /// Another comment, another name of a type, another order.
    pub(super) enum Event { Used, Issued {
        /// A comment.
        note: Option<String>, title: String, seats: Vec<Chair> } }
    /// A comment.
    pub(super) struct Chair { kind: Sort, row: u32 }
    pub(super) enum Sort { /** A comment. */ Boxed { door: u32 }, Plain }
});

#[test]
fn what_a_type_says_to_people_makes_no_difference() {
    let report = Place::with::<first::Event>().check::<commented::Event>();
    assert!(report.is_clean(), "{report}");
}

release!(added {
    pub(super) enum Event {
        Issued { title: String, seats: Vec<Seat>, note: Option<String>, on: Option<String> },
        Used,
    }
    pub(super) struct Seat { row: u32, kind: Kind }
    pub(super) enum Kind { Plain, Boxed { door: u32 } }
});

#[test]
fn an_added_field_is_found() {
    assert_changed::<added::Event>(&["+ on: text or null, optional"]);
}

release!(removed {
    pub(super) enum Event { Issued { title: String, seats: Vec<Seat> }, Used }
    pub(super) struct Seat { row: u32, kind: Kind }
    pub(super) enum Kind { Plain, Boxed { door: u32 } }
});

#[test]
fn a_removed_field_is_found() {
    assert_changed::<removed::Event>(&["- note: text or null, optional"]);
}

release!(renamed {
    pub(super) enum Event {
        Issued { name: String, seats: Vec<Seat>, note: Option<String> },
        Used,
    }
    pub(super) struct Seat { row: u32, kind: Kind }
    pub(super) enum Kind { Plain, Boxed { door: u32 } }
});

#[test]
fn a_renamed_field_is_found() {
    assert_changed::<renamed::Event>(&["~ title: is called name now"]);
}

release!(nested {
    pub(super) enum Event {
        Issued { title: String, seats: Vec<Seat>, note: Option<String> },
        Used,
    }
    pub(super) struct Seat { row: String, kind: Kind }
    pub(super) enum Kind { Plain, Boxed { door: Option<u32> } }
});

#[test]
fn changed_types_are_found_however_deep() {
    assert_changed::<nested::Event>(&[
        "~ seats[].kind.Boxed.door: was an integer (uint32), is an integer (uint32) or null",
        "~ seats[].kind.Boxed.door: was required, is optional",
        "~ seats[].row: was an integer (uint32), is text",
    ]);
}

release!(variants {
    pub(super) enum Event {
        Issued { title: String, seats: Vec<Seat>, note: Option<String> },
        Used,
    }
    pub(super) struct Seat { row: u32, kind: Kind }
    pub(super) enum Kind { Plain, Standing }
});

#[test]
fn variants_that_come_and_go_are_found() {
    assert_changed::<variants::Event>(&[
        "- seats[].kind.Boxed: a variant",
        "+ seats[].kind.Standing: a variant",
    ]);
}

release!(gone { pub(super) enum Event { Used } });
release!(more { pub(super) enum Event { Used, Lost } });

#[test]
fn an_event_that_nothing_reads_any_more_is_found() {
    let (kind, _, fix) = found::<gone::Event>();
    assert_eq!(kind, FindingKind::Gone);
    assert!(fix.contains(".renamed(\"Issued\""), "{fix}");
}

#[test]
fn a_new_event_is_to_be_accepted() {
    let place = Place::with::<gone::Event>();
    let report = place.check::<more::Event>();
    let kinds: Vec<_> = report.findings.iter().map(|f| (f.subject.as_str(), f.kind)).collect();
    assert_eq!(kinds, [("ticket.Lost.v1", FindingKind::New)]);
    accept(&app::<more::Event>(), &place.folder()).unwrap();
    assert!(place.check::<more::Event>().is_clean());
}

release!(second {
    pub(super) enum Event { Sold { title: String }, Retired }
} impl {
    const FORMAT: u32 = 2;
    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Issued", |data| json!({ "title": data["title"] }))
            .renamed("Issued", "Sold")
            .renamed("Used", "Retired")
    }
});

release!(corrected {
    pub(super) enum Event { Sold { title: String }, Retired }
} impl {
    const FORMAT: u32 = 2;
    fn upcasters() -> Upcasters {
        Upcasters::default()
            .then("Issued", |_| json!({ "title": "" }))
            .renamed("Issued", "Sold")
            .renamed("Used", "Retired")
    }
});

#[test]
fn an_old_version_is_read_for_ever_as_it_was_when_it_grew_old() {
    let place = Place::with::<first::Event>();
    assert!(!place.check::<second::Event>().is_clean(), "it is new");
    let accepted = accept(&app::<second::Event>(), &place.folder()).unwrap();
    assert!(accepted.report.is_clean(), "{}", accepted.report);
    let now = place.read("ticket.Issued.v1.now.json");
    assert_eq!((&now["type"], &now["version"]), (&json!("Sold"), &json!(1)));
    assert_eq!(now["data"][0], json!({ "title": "title" }));
    let report = place.check::<corrected::Event>();
    assert_eq!(report.findings[0].kind, FindingKind::ReadOtherwise, "{report}");
    let accepted = accept(&app::<corrected::Event>(), &place.folder()).unwrap();
    assert!(
        !accepted.report.is_clean() && accepted.files.is_empty(),
        "it accepts what is new alone"
    );
}

#[test]
fn a_release_before_the_locked_one_is_found() {
    release!(later {
        pub(super) enum Event { Used }
    } impl {
        fn upcasters() -> Upcasters {
            Upcasters::default().then("Used", |data| data)
        }
    });
    let place = Place::with::<later::Event>();
    let report = place.check::<gone::Event>();
    assert!(report.findings.iter().any(|f| f.kind == FindingKind::Behind), "{report}");
}

release!(heavier {
    pub(super) enum Event { Used }
} impl {
    fn weight() -> u64 { 2 }
});
release!(raised {
    pub(super) enum Event { Used }
} impl {
    const FORMAT: u32 = 2;
    fn weight() -> u64 { 2 }
});

#[test]
fn a_state_that_changes_under_one_format_is_found() {
    let place = Place::new();
    let event = json!({
        "specversion": "1.0", "id": "ticket-1@1", "source": "/office", "type": "ticket.Used",
        "subject": "ticket-1", "partitionkey": "ticket-1", "sequence": "00000000000000000001",
        "dataschema": "urn:skyfold:office:ticket.Used.1", "datacontenttype": "application/json",
        "time": "2010-12-01T08:26:00Z", "causationid": "c", "data": null,
    });
    place.write("ticket.history.jsonl", &format!("{event}\n"));
    accept(&app::<gone::Event>(), &place.folder()).unwrap();
    assert!(place.check::<gone::Event>().is_clean());
    assert_eq!(place.check::<gone::Event>().notes, Vec::<String>::new());
    let report = place.check::<heavier::Event>();
    assert_eq!(report.findings[0].subject, "ticket.state.v1", "{report}");
    assert_eq!(report.findings[0].kind, FindingKind::Changed);
    let report = place.check::<raised::Event>();
    assert_eq!(report.findings[0].kind, FindingKind::New, "{report}");
    accept(&app::<raised::Event>(), &place.folder()).unwrap();
    assert!(place.check::<raised::Event>().is_clean());
}
