//! Personal data: sealed in whatever leaves the process, and gone with the key of their subject.

use std::time::Duration;

use serde_json::{Value, json};
use skyfold::ports::{Consistency, DocumentKey, FeedQuery, Order, Range};
use skyfold::{
    Announced, AsOf, Decider, ForgetRequest, Forgotten, ListRequest, Payload, Personal, Projection,
    RecordedCommit, Reply, Result, StreamName, Trigger, Version, ViewRequest,
};

use super::bank::{answer, receipt};
use super::world::id;
use super::{Bank, Case, World, cases};
use crate::domain::{Cards, Member, MemberCommand, Profile, members};
use crate::faults::{Counted, Wiretap, tapped};

pub(super) const CASES: &[Case] = cases![
    personal_data_leave_the_process_sealed_alone,
    what_was_sealed_is_read_again_by_every_process,
    after_forgetting_nothing_shows_it,
    after_forgetting_nothing_that_was_under_way_shows_it,
    another_process_shows_nothing_of_the_forgotten_after_30_seconds,
    the_same_process_shows_nothing_of_the_forgotten_at_once,
    forgetting_again_returns_the_first_receipt,
    receipts_are_listed_newest_first,
    a_forgotten_subject_takes_no_new_data,
    a_repeated_command_is_answered_after_forgetting,
    a_renewed_key_leaves_old_values_readable,
    payloads_without_personal_data_ask_for_no_key,
    a_key_is_asked_for_once_while_it_is_at_hand,
];

/// What nobody may find.
pub(super) const CANARY: &str = "Canary-Clementine";

pub(super) fn club(world: &World) -> Bank {
    Bank::of(members(), world.ports.clone())
}

pub(super) fn profile(subject: &str, name: &str) -> Personal<Profile> {
    Personal::new(id(subject), Profile { name: name.into(), age: 40 })
}

pub(super) fn introduce(subject: &str, name: &str) -> MemberCommand {
    let guests = vec![Personal::new(id("guest"), format!("{name}'s guest"))];
    MemberCommand::Introduce { profile: profile(subject, name), guests }
}

pub(super) fn member(member: &str) -> StreamName {
    StreamName::new(Member::CATEGORY, &id(member))
}

pub(super) async fn give(bank: &Bank, to: &str, command_id: &str, command: &MemberCommand) {
    receipt(bank.give::<Member>(to, command_id, command).await.unwrap());
}

pub(super) async fn forget(bank: &Bank, subject: &str) -> Forgotten {
    bank.runtime.privacy().forget(&request(subject, "asked for it")).await.unwrap()
}

fn request(subject: &str, reason: &str) -> ForgetRequest {
    ForgetRequest { subject: id(subject), by: "support".into(), reason: reason.into() }
}

/// The card of `member`, as an outsider is shown it.
pub(super) async fn card(bank: &Bank, member: &str) -> Result<Value> {
    let request = ViewRequest { key: member.into(), after: None };
    answer(bank.runtime.invoke(Cards::NAME, Trigger::View(request)).await?).body.decode()
}

/// Everything that a process can be made to say about `member`, as text.
async fn everything(world: &World, bank: &Bank, member_id: &str) -> String {
    let list = ListRequest {
        list: "all".into(),
        under: "everybody".into(),
        order: Order::Ascending,
        limit: 10,
        cursor: None,
        after: None,
    };
    let list = bank.runtime.invoke(Cards::NAME, Trigger::List(list)).await.unwrap();
    let mut said = vec![
        card(bank, member_id).await.unwrap().to_string(),
        answer(list).body.to_string(),
        bank.state("member", member_id, AsOf::Now).await.unwrap().state.to_string(),
        bank.state("member", member_id, AsOf::Version(Version(1))).await.unwrap().state.to_string(),
        bank.state("welcome", member_id, AsOf::Now).await.unwrap().state.to_string(),
    ];
    let ports = bank.runtime.ports();
    for stream in [member(member_id), format!("saga.welcome-{member_id}").parse().unwrap()] {
        for commit in read(bank, &stream).await {
            said.push(serde_json::to_string(&commit.commit).unwrap());
        }
        let snapshot = ports.events.snapshot(&stream).await.unwrap();
        said.extend(snapshot.map(|snapshot| snapshot.state.state.to_string()));
    }
    for commit in world.feed(&FeedQuery::default()).await {
        said.push(serde_json::to_string(&commit.commit).unwrap());
    }
    said.join("\n")
}

/// The commits of `stream` as `bank` reads them, newest first.
async fn read(bank: &Bank, stream: &StreamName) -> Vec<RecordedCommit> {
    let store = &bank.runtime.ports().events;
    store.read(stream, Range::NEWEST, 100, Consistency::Strong).await.unwrap().commits
}

/// A member in every place where something is kept.
async fn settled(world: &World, bank: &Bank) {
    give(bank, "1", "a", &introduce("ada", CANARY)).await;
    world.settle(&bank.runtime).await;
    // Large enough for a snapshot, and warm.
    give(bank, "1", "b", &MemberCommand::Load { bytes: 20_000 }).await;
    world.settle(&bank.runtime).await;
}

async fn personal_data_leave_the_process_sealed_alone(world: World) {
    let tap = Wiretap::new();
    let bank = Bank::of(members(), tapped(world.ports.clone(), tap.clone()));
    settled(&world, &bank).await;
    // Announced once more, by a relay that reads what the runtime reads.
    let commits = world.commits(&member("1")).await;
    bank.runtime.invoke("relay", Trigger::Commits(commits)).await.unwrap();
    let commits = read(&bank, &member("1")).await;
    assert!(serde_json::to_string(&commits[commits.len() - 1].commit).unwrap().contains(CANARY));
    bank.runtime.invoke("relay", Trigger::Commits(commits)).await.unwrap();
    let heard = tap.heard();
    for kind in ["append", "save snapshot", "write", "publish", "send"] {
        assert!(heard[kind].contains("sealed"), "{kind}: {}", heard[kind]);
    }
    for (kind, text) in heard {
        assert!(!text.contains(CANARY), "{kind}: {text}");
    }
}

async fn what_was_sealed_is_read_again_by_every_process(world: World) {
    settled(&world, &club(&world)).await;
    for bank in [club(&world), club(&world)] {
        let expected = json!({
            "profile": { "name": CANARY, "age": 40 },
            "initial": "C",
            "guests": [format!("{CANARY}'s guest")],
            "greeted": CANARY,
            "letters": 1,
        });
        assert_eq!(card(&bank, "1").await.unwrap(), expected);
        assert!(everything(&world, &bank, "1").await.matches(CANARY).count() > 10);
        // Cold, and decided on what was carried along.
        give(&bank, "1", "c", &MemberCommand::Load { bytes: 1 }).await;
        let state: Value =
            bank.state("member", "1", AsOf::Now).await.unwrap().state.decode().unwrap();
        assert_eq!(state["profiles"][0]["name"], CANARY);
    }
}

async fn after_forgetting_nothing_shows_it(world: World) {
    let (bank, other) = (club(&world), club(&world));
    settled(&world, &bank).await;
    assert!(everything(&world, &bank, "1").await.contains(CANARY));
    forget(&bank, "ada").await;
    let left = everything(&world, &bank, "1").await.replace(&format!("{CANARY}'s guest"), "");
    assert!(!left.contains(CANARY), "{left}");
    // The guest was not forgotten.
    let expected = json!({
        "profile": null,
        "initial": null,
        "guests": [format!("{CANARY}'s guest")],
        "greeted": null,
        "letters": 1,
    });
    assert_eq!(card(&bank, "1").await.unwrap(), expected);
    forget(&other, "guest").await;
    let left = everything(&world, &other, "1").await;
    assert!(!left.contains(CANARY), "{left}");
    // Life goes on, and a rebuilt view is what the old one became.
    give(&bank, "1", "z", &MemberCommand::Load { bytes: 2 }).await;
    world.settle(&bank.runtime).await;
    world.delete(DocumentKey { collection: "cards.1".into(), id: "1".into() }).await;
    let bank = club(&world);
    bank.handle("cards", &world.news(&member("1")).await).await;
    assert_eq!(card(&bank, "1").await.unwrap()["guests"], json!([null]));
    assert_eq!(card(&bank, "1").await.unwrap()["letters"], 1);
}

async fn after_forgetting_nothing_that_was_under_way_shows_it(world: World) {
    let bank = club(&world);
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    let news = world.news(&member("1")).await;
    // Delivered already, and asked for already: an hour later.
    bank.handle("welcome", &news).await;
    forget(&bank, "ada").await;
    forget(&bank, "guest").await;
    bank.handle("cards", &news).await;
    bank.handle("welcome", &news).await;
    let left = everything(&world, &bank, "1").await;
    assert!(!left.contains(CANARY), "{left}");
    assert_eq!(card(&bank, "1").await.unwrap()["profile"], Value::Null);
}

async fn another_process_shows_nothing_of_the_forgotten_after_30_seconds(world: World) {
    let (bank, other) = (club(&world), club(&world));
    settled(&world, &bank).await;
    assert_eq!(card(&other, "1").await.unwrap()["greeted"], CANARY);
    give(&other, "1", "warm", &MemberCommand::Load { bytes: 3 }).await;
    forget(&bank, "ada").await;
    other.clock.shift(time::Duration::seconds(30));
    assert_eq!(card(&other, "1").await.unwrap()["greeted"], Value::Null);
    give(&other, "1", "warm-2", &MemberCommand::Load { bytes: 4 }).await;
    let newest = read(&other, &member("1")).await.remove(0);
    let state: Value = newest.commit.state().unwrap().state.decode().unwrap();
    assert_eq!(state["profiles"], json!([{ "_personal": { "subject": "ada" } }]));
}

async fn the_same_process_shows_nothing_of_the_forgotten_at_once(world: World) {
    let bank = club(&world);
    settled(&world, &bank).await;
    for round in 0..3 {
        let subject = format!("s-{round}");
        let name = format!("{CANARY} {round}");
        give(&bank, "1", &format!("i-{round}"), &introduce(&subject, &name)).await;
        world.settle(&bank.runtime).await;
        assert_eq!(card(&bank, "1").await.unwrap()["greeted"], *name);
        forget(&bank, &subject).await;
        assert_eq!(card(&bank, "1").await.unwrap()["greeted"], Value::Null);
        let state = bank.state("member", "1", AsOf::Now).await.unwrap().state;
        assert!(!state.get().contains(&name), "{state}");
    }
}

async fn forgetting_again_returns_the_first_receipt(world: World) {
    let (bank, other) = (club(&world), club(&world));
    let first = forget(&bank, "ada").await;
    assert_eq!((&*first.by, &*first.reason), ("support", "asked for it"));
    let again = other.runtime.privacy().forget(&request("ada", "another")).await.unwrap();
    assert_eq!(again.reason, "asked for it");
    let receipt = other.runtime.privacy().receipt(&id("ada")).await.unwrap();
    assert_eq!(receipt.map(|receipt| receipt.reason).as_deref(), Some("asked for it"));
    assert_eq!(other.runtime.privacy().receipt(&id("bob")).await.unwrap(), None);
    for reason in ["", "a\nb", &"x".repeat(201)] {
        bank.runtime.privacy().forget(&request("bob", reason)).await.unwrap_err();
    }
    assert_eq!(bank.runtime.privacy().receipt(&id("bob")).await.unwrap(), None);
}

async fn receipts_are_listed_newest_first(world: World) {
    let bank = club(&world);
    for subject in ["a", "b", "c"] {
        forget(&bank, subject).await;
        world.pass(Duration::from_millis(20)).await;
    }
    let privacy = bank.runtime.privacy();
    let subjects = world.eventually("a list of three receipts", async || {
        let (mut subjects, mut cursor) = (vec![], None);
        loop {
            let page = privacy.receipts(2, cursor).await.unwrap();
            subjects.extend(page.items.into_iter().map(|item| item.subject.to_string()));
            cursor = page.next;
            if cursor.is_none() {
                break (subjects.len() == 3).then_some(subjects);
            }
        }
    });
    assert_eq!(subjects.await, ["c", "b", "a"]);
    privacy.receipts(0, None).await.unwrap_err();
}

async fn a_forgotten_subject_takes_no_new_data(world: World) {
    let bank = club(&world);
    forget(&bank, "ada").await;
    let reply = bank.give::<Member>("1", "a", &introduce("ada", CANARY)).await.unwrap();
    let Reply::Refused(reason) = reply else { panic!("it is refused, not {reply:?}") };
    assert!(reason.contains("ada was forgotten"), "{reason}");
    assert!(world.commits(&member("1")).await.is_empty());
    let nothing =
        Payload::parse(r#"{"Introduce":{"profile":{"_personal":{"subject":"ada"}},"guests":[]}}"#);
    give(&bank, "1", "b", &nothing.unwrap().decode().unwrap()).await;
    give(&bank, "1", "c", &introduce("bob", CANARY)).await;
}

async fn a_repeated_command_is_answered_after_forgetting(world: World) {
    let bank = club(&world);
    let first = bank.give::<Member>("1", "a", &introduce("ada", CANARY)).await.unwrap();
    let first = receipt(first);
    forget(&bank, "ada").await;
    for bank in [bank, club(&world)] {
        let again = bank.give::<Member>("1", "a", &introduce("ada", CANARY)).await.unwrap();
        let again = receipt(again);
        assert_eq!((again.version, again.replayed), (first.version, true));
    }
}

async fn a_renewed_key_leaves_old_values_readable(world: World) {
    let (bank, other) = (club(&world), club(&world));
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    bank.handle("cards", &world.news(&member("1")).await).await;
    assert_eq!(card(&other, "1").await.unwrap()["initial"], "C");
    assert_eq!(bank.runtime.privacy().renew_key(&id("ada")).await.unwrap(), 2);
    give(&bank, "2", "b", &introduce("ada", "Dora")).await;
    bank.handle("cards", &world.news(&member("2")).await).await;
    let sealed = serde_json::to_string(&world.commits(&member("2")).await[0].commit).unwrap();
    assert!(sealed.contains(r#""subject":"ada","key":2"#), "{sealed}");
    // The other process has the first key at hand, and asks again for the second.
    for bank in [&bank, &other, &club(&world)] {
        assert_eq!(card(bank, "1").await.unwrap()["initial"], "C");
        assert_eq!(card(bank, "2").await.unwrap()["initial"], "D");
    }
    forget(&bank, "ada").await;
    assert_eq!(card(&bank, "1").await.unwrap()["initial"], Value::Null);
    assert_eq!(card(&bank, "2").await.unwrap()["initial"], Value::Null);
    bank.runtime.privacy().renew_key(&id("ada")).await.unwrap_err();
}

async fn payloads_without_personal_data_ask_for_no_key(world: World) {
    let counted = Counted::new();
    let bank = Bank::of(members(), tapped(world.ports.clone(), counted.clone()));
    give(&bank, "1", "a", &MemberCommand::Note { anything: json!("_personal") }).await;
    bank.handle("cards", &world.news(&member("1")).await).await;
    card(&bank, "1").await.unwrap();
    let requests = counted.requests();
    assert!(requests.iter().all(|(kind, _)| !kind.contains("key")), "{requests:?}");
    assert!(requests.contains(&("append", 1)) && requests.contains(&("write", 1)));
}

async fn a_key_is_asked_for_once_while_it_is_at_hand(world: World) {
    let counted = Counted::new();
    let bank = Bank::of(members(), tapped(world.ports.clone(), counted.clone()));
    let greet = || MemberCommand::Greet { name: Personal::new(id("ada"), "Ada".into()) };
    give(&bank, "1", "a", &greet()).await;
    let first = counted.requests();
    assert_eq!(first, [("append", 1), ("create key", 1), ("keys", 2), ("read", 1)]);
    for nth in 0..5 {
        give(&bank, "1", &nth.to_string(), &greet()).await;
        assert_eq!(counted.requests(), [("append", 1)]);
    }
    let news: Vec<Announced> = world.news(&member("1")).await;
    bank.handle("cards", &news).await;
    assert_eq!(counted.requests(), [("get", 1), ("write", 1)]);
    bank.clock.shift(time::Duration::seconds(30));
    card(&bank, "1").await.unwrap();
    assert_eq!(counted.requests(), [("get", 1), ("keys", 1)]);
}
