//! Sealed values that were altered, moved, forged or interrupted on their way.

use skyfold::ports::{DocumentKey, Guard, Write};
use skyfold::{Announced, AsOf, ErrorKind, Head, NewEvent, Payload, Personal, Trigger};

use super::bank::trouble;
use super::privacy::{CANARY, card, club, forget, give, introduce, member};
use super::world::{event, id};
use super::{Bank, Case, World, cases};
use crate::domain::{Member, MemberCommand, members};
use crate::faults::{Fault, Faulty, Request, tapped};

pub(super) const CASES: &[Case] = cases![
    a_view_opens_only_where_it_was_sealed,
    values_of_one_view_do_not_change_places,
    an_event_opens_only_where_it_was_sealed_and_stops_its_stream_alone,
    an_altered_announcement_is_read_from_the_store,
    nobody_stores_a_value_that_somebody_else_sealed,
    no_error_quotes_personal_data,
    a_lost_answer_of_the_key_store_changes_nothing,
    without_keys_nothing_is_stored,
    of_two_processes_that_seal_first_both_are_read,
    what_grows_too_large_by_being_sealed_is_refused,
];

fn key(id: &str) -> DocumentKey {
    DocumentKey { collection: "cards.1".into(), id: id.into() }
}

/// Puts `body` in the place of a card, behind the back of every process.
async fn put(world: &World, id: &str, body: Payload) {
    let (key, guard) = (key(id), Guard::None);
    world
        .write(Write { key, body: Some(body), listings: vec![], guard, expires: None })
        .await
        .unwrap();
}

/// The sealed texts in `stored`, in order.
fn sealed(stored: &str) -> Vec<&str> {
    let parts = stored.split("\"sealed\":\"").skip(1);
    parts.filter_map(|part| part.split('"').next()).collect()
}

async fn a_view_opens_only_where_it_was_sealed(world: World) {
    let bank = club(&world);
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    bank.handle("cards", &world.news(&member("1")).await).await;
    let body = world.get(&key("1")).await.unwrap().body;
    put(&world, "2", body.clone()).await;
    assert_eq!(card(&bank, "2").await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(card(&bank, "1").await.unwrap().to_string().contains(CANARY));
    // Under the name of another subject, with a key or without one.
    give(&bank, "3", "b", &introduce("bob", "Bob")).await;
    for other in ["bob", "nobody"] {
        put(&world, "1", Payload::parse(&body.get().replace("ada", other)).unwrap()).await;
        assert_eq!(card(&bank, "1").await.unwrap_err().kind(), ErrorKind::Corrupt, "{other}");
    }
    // Under another number of its key.
    for number in ["0", "2", "4294967295"] {
        let body = body.get().replace("\"key\":1", &format!("\"key\":{number}"));
        put(&world, "1", Payload::parse(&body).unwrap()).await;
        assert_eq!(card(&bank, "1").await.unwrap_err().kind(), ErrorKind::Corrupt, "{number}");
    }
}

async fn values_of_one_view_do_not_change_places(world: World) {
    let bank = club(&world);
    let guests = ["x", "y"].map(|name| Personal::new(id("ada"), name.to_owned())).to_vec();
    let profile = super::privacy::profile("ada", CANARY);
    give(&bank, "1", "a", &MemberCommand::Introduce { profile, guests }).await;
    bank.handle("cards", &world.news(&member("1")).await).await;
    let body = world.get(&key("1")).await.unwrap().body;
    let values = sealed(body.get());
    assert_eq!(values.len(), 4, "{body}");
    for (one, other) in [(0, 1), (2, 3), (1, 3)] {
        let (one, other) = (values[one], values[other]);
        let swapped = body.get().replace(one, "?").replace(other, one).replace('?', other);
        put(&world, "1", Payload::parse(&swapped).unwrap()).await;
        assert_eq!(card(&bank, "1").await.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    put(&world, "1", body).await;
    card(&bank, "1").await.unwrap();
}

async fn an_event_opens_only_where_it_was_sealed_and_stops_its_stream_alone(world: World) {
    let bank = club(&world);
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    // The same event in another stream, after one that is well.
    let copied = world.commits(&member("1")).await.remove(0).commit;
    let noted = world.commit_of("b", vec![event("Noted", 1, r#"{"anything":0}"#)]);
    let head = world.fill(&member("2"), &[noted]).await;
    world.append(&head, &copied.with_state(None)).await.unwrap();
    let mut news = world.news(&member("2")).await;
    news.extend(world.news(&member("1")).await);
    let letters = bank.set_aside("cards", &news).await;
    let letters: Vec<_> = letters.iter().map(trouble).collect();
    assert_eq!(letters, [("member-2@2".into(), "corrupt")]);
    assert!(card(&bank, "1").await.unwrap().to_string().contains(CANARY));
    assert_eq!(card(&bank, "2").await.unwrap()["letters"], 0, "what came before is shown");
    let error = bank.give::<Member>("2", "c", &MemberCommand::Load { bytes: 1 }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = bank.state("member", "2", AsOf::Now).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

async fn an_altered_announcement_is_read_from_the_store(world: World) {
    let bank = club(&world);
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    give(&bank, "2", "b", &introduce("ada", "Dora")).await;
    let mut news = world.news(&member("1")).await;
    let others = world.news(&member("2")).await;
    let (Announced::Event(event), Announced::Event(other)) = (&mut news[0], &others[0]) else {
        panic!("events are announced")
    };
    event.data = other.data.clone();
    bank.handle("cards", &news).await;
    assert_eq!(card(&bank, "1").await.unwrap()["profile"]["name"], CANARY);
}

async fn nobody_stores_a_value_that_somebody_else_sealed(world: World) {
    let bank = club(&world);
    give(&bank, "1", "a", &introduce("ada", CANARY)).await;
    let stored = serde_json::to_value(&world.commits(&member("1")).await[0].commit).unwrap();
    let stolen = stored["e"][0]["d"]["profile"].clone();
    assert!(stolen.to_string().contains("sealed"), "{stolen}");
    let odd = serde_json::json!({ "_personal": 3 });
    for (nth, anything) in [stolen, odd].into_iter().enumerate() {
        let note = MemberCommand::Note { anything };
        let error = bank.give::<Member>("2", &nth.to_string(), &note).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert!(world.commits(&member("2")).await.is_empty());
}

/// Whose data an error of a command or a delivery would quote, if it quoted any.
async fn no_error_quotes_personal_data(world: World) {
    let bank = club(&world);
    let profile = format!(r#"{{"_personal":{{"subject":"ada","value":"{CANARY}"}}}}"#);
    for command in [
        format!(r#"{{"Introduce":{{"profile":{profile},"guests":[]}}}}"#),
        format!(r#"{{"Introduce":{{"profile":"{CANARY}","guests":[]}}}}"#),
        format!(r#"{{"Greet":{{"name":{{"_personal":{{"subject":"{CANARY} ","value":1}}}}}}}}"#),
    ] {
        let mut request =
            super::bank::request::<Member>("1", "a", &MemberCommand::Load { bytes: 1 });
        request.command = Payload::parse(&command).unwrap();
        let error = bank.runtime.invoke("member", Trigger::Command(request)).await.unwrap_err();
        assert!(!error.to_string().contains(CANARY), "{error}");
    }
    // An event as another release might have written it.
    let data = Payload::parse(&format!(r#"{{"profile":{profile},"guests":[]}}"#)).unwrap();
    let written = NewEvent { event_type: "Introduced".into(), schema: 1, data };
    let commit = world.commit_of("b", vec![written]);
    let store = &bank.runtime.ports().events;
    store.append(&Head::empty(member("1")), &commit).await.unwrap();
    let news = world.news(&member("1")).await;
    for function in ["cards", "welcome"] {
        let letters = bank.set_aside(function, &news).await;
        let kinds: Vec<_> = letters.iter().map(|letter| letter.kind.as_str()).collect();
        assert_eq!(kinds, ["corrupt"], "{function}");
        assert!(!format!("{letters:?}").contains(CANARY), "{letters:?}");
    }
    let error = bank.give::<Member>("1", "c", &MemberCommand::Load { bytes: 1 }).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
}

async fn a_lost_answer_of_the_key_store_changes_nothing(world: World) {
    let applies = |request: &Request<'_>| {
        matches!(request, Request::Keys(_) | Request::CreateKey(..) | Request::DestroyKeys(_))
    };
    let faults = [
        Fault::Before(ErrorKind::Unavailable),
        Fault::After(ErrorKind::Unavailable),
        Fault::Before(ErrorKind::Throttled),
    ];
    for (nth, fault) in faults.into_iter().enumerate() {
        let faulty = Faulty::new(applies, (0..12).map(|call| (call % 2 == 0).then_some(fault)));
        let bank = Bank::of(members(), tapped(world.ports.clone(), faulty.clone()));
        let (to, subject) = (nth.to_string(), format!("s-{nth}"));
        give(&bank, &to, "a", &introduce(&subject, CANARY)).await;
        bank.handle("cards", &world.news(&member(&to)).await).await;
        assert_eq!(card(&club(&world), &to).await.unwrap()["initial"], "C");
        forget(&bank, &subject).await;
        assert_eq!(card(&bank, &to).await.unwrap()["initial"], serde_json::Value::Null);
        assert!(faulty.left() < 12, "some were met");
    }
}

async fn without_keys_nothing_is_stored(world: World) {
    let applies = |request: &Request<'_>| matches!(request, Request::CreateKey(..));
    let down = Faulty::new(applies, vec![Some(Fault::Before(ErrorKind::Unavailable)); 1_000]);
    let bank = Bank::of(members(), tapped(world.ports.clone(), down));
    let error = bank.give::<Member>("1", "a", &introduce("ada", CANARY)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(world.commits(&member("1")).await.is_empty());
    give(&club(&world), "1", "a", &introduce("ada", CANARY)).await;
}

async fn of_two_processes_that_seal_first_both_are_read(world: World) {
    for round in 0..8 {
        let (one, other) = (club(&world), club(&world));
        let (first, second) = (format!("{round}-1"), format!("{round}-2"));
        let command = introduce(&format!("s-{round}"), CANARY);
        futures::join!(give(&one, &first, "a", &command), give(&other, &second, "a", &command));
        let reader = club(&world);
        for to in [&first, &second] {
            reader.handle("cards", &world.news(&member(to)).await).await;
            assert_eq!(card(&reader, to).await.unwrap()["initial"], "C");
        }
    }
}

async fn what_grows_too_large_by_being_sealed_is_refused(world: World) {
    let bank = club(&world);
    let large = |kib: usize| {
        let value = "x".repeat(kib * 1024);
        format!(r#"{{"name":{{"_personal":{{"subject":"ada","value":"{value}"}}}}}}"#)
    };
    let ports = bank.runtime.ports();
    let greeted = || event("Greeted", 1, &large(100));
    let empty = Head::empty(member("1"));
    let two = world.commit_of("a", vec![greeted(), greeted()]);
    let error = ports.events.append(&empty, &two).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Oversized, "{error}");
    let one = world.commit_of("a", vec![greeted()]);
    ports.events.append(&empty, &one).await.unwrap();
    let write = |id: &str, kib| {
        let (body, guard) = (Some(Payload::parse(&large(kib)).unwrap()), Guard::None);
        Write { key: key(id), body, listings: vec![], guard, expires: None }
    };
    let batch = [write("1", 100), write("2", 200), write("3", 1)];
    let outcomes = ports.documents.write(&batch).await;
    let kinds: Vec<_> = outcomes.iter().map(|o| o.as_ref().err().map(|e| e.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Oversized), None]);
    assert!(world.get(&key("1")).await.is_some() && world.get(&key("3")).await.is_some());
    assert!(world.get(&key("2")).await.is_none());
}
