//! What every key store promises.

use futures::future::join_all;
use skyfold::ErrorKind;
use skyfold::limits::{BATCH_SUBJECTS_MAX, ID_CHARS_MAX};
use skyfold::ports::{KeyStore, Keyring, SubjectKey};

use super::world::id;
use super::{Case, World, cases};

pub(super) const CASES: &[Case] = cases![
    a_get_sees_what_was_created_and_destroyed_in_the_order_of_its_subjects,
    a_full_batch_of_subjects_is_read,
    of_many_creators_of_one_key_one_wins_and_all_are_told_the_same,
    a_key_keeps_its_number_when_another_is_added,
    keys_are_numbered_without_a_gap,
    destroyed_keys_do_not_come_back,
    a_subject_without_a_key_is_destroyed_as_well,
    nothing_created_while_keys_are_destroyed_outlives_it,
    changes_made_again_change_nothing,
    two_subjects_share_nothing,
];

/// A key like no other of the same case.
fn key(byte: u8) -> SubjectKey {
    SubjectKey::from_bytes([byte; SubjectKey::BYTES])
}

fn ring(bytes: &[u8]) -> Keyring {
    Keyring::Keys(bytes.iter().copied().map(key).collect())
}

async fn kept(keys: &dyn KeyStore, subject: &str) -> Keyring {
    let mut found = keys.get(&[id(subject)]).await.unwrap();
    assert_eq!(found.len(), 1, "one answer for one subject");
    found.remove(0)
}

async fn a_get_sees_what_was_created_and_destroyed_in_the_order_of_its_subjects(world: World) {
    let keys = &*world.ports.keys;
    assert_eq!(keys.create(&id("a"), 1, &key(1)).await.unwrap(), ring(&[1]));
    assert_eq!(keys.create(&id("b"), 1, &key(2)).await.unwrap(), ring(&[2]));
    keys.destroy(&id("c")).await.unwrap();
    let all = [id("c"), id("b"), id("none"), id("a")];
    let found = keys.get(&all).await.unwrap();
    assert_eq!(found, [Keyring::Destroyed, ring(&[2]), Keyring::Empty, ring(&[1])]);
    assert_eq!(keys.get(&[]).await.unwrap(), []);
}

async fn a_full_batch_of_subjects_is_read(world: World) {
    let keys = &*world.ports.keys;
    let subjects: Vec<_> = (0..BATCH_SUBJECTS_MAX).map(|nth| id(&format!("s-{nth}"))).collect();
    for (nth, subject) in subjects.iter().enumerate().filter(|(nth, _)| nth % 2 == 0) {
        keys.create(subject, 1, &key(nth as u8)).await.unwrap();
    }
    for (nth, found) in keys.get(&subjects).await.unwrap().into_iter().enumerate() {
        let expected = if nth % 2 == 0 { ring(&[nth as u8]) } else { Keyring::Empty };
        assert_eq!(found, expected, "{nth}");
    }
}

async fn of_many_creators_of_one_key_one_wins_and_all_are_told_the_same(world: World) {
    let keys = &*world.ports.keys;
    for number in [1, 2] {
        let subject = id("ada");
        let keys_tried: Vec<_> = (1..=16).map(|byte| key(16 * number as u8 + byte)).collect();
        let create = |key| keys.create(&subject, number, key);
        let told = join_all(keys_tried.iter().map(create)).await;
        let winner = kept(keys, "ada").await;
        let Keyring::Keys(won) = &winner else { panic!("{winner:?} holds keys") };
        assert_eq!(won.len(), number as usize);
        assert!(keys_tried.contains(&won[number as usize - 1]));
        for told in told {
            assert_eq!(told.unwrap(), winner);
        }
    }
}

async fn a_key_keeps_its_number_when_another_is_added(world: World) {
    let keys = &*world.ports.keys;
    keys.create(&id("ada"), 1, &key(1)).await.unwrap();
    assert_eq!(keys.create(&id("ada"), 2, &key(2)).await.unwrap(), ring(&[1, 2]));
    assert_eq!(keys.create(&id("ada"), 1, &key(9)).await.unwrap(), ring(&[1, 2]));
    assert_eq!(keys.create(&id("ada"), 2, &key(9)).await.unwrap(), ring(&[1, 2]));
    assert_eq!(keys.create(&id("ada"), 3, &key(3)).await.unwrap(), ring(&[1, 2, 3]));
    assert_eq!(kept(keys, "ada").await, ring(&[1, 2, 3]));
}

async fn keys_are_numbered_without_a_gap(world: World) {
    let keys = &*world.ports.keys;
    for number in [0, 2, u32::MAX] {
        let error = keys.create(&id("ada"), number, &key(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{number}");
    }
    assert_eq!(kept(keys, "ada").await, Keyring::Empty);
    keys.create(&id("ada"), 1, &key(1)).await.unwrap();
    keys.create(&id("ada"), 3, &key(3)).await.unwrap_err();
    assert_eq!(kept(keys, "ada").await, ring(&[1]));
}

async fn destroyed_keys_do_not_come_back(world: World) {
    let keys = &*world.ports.keys;
    keys.create(&id("ada"), 1, &key(1)).await.unwrap();
    keys.create(&id("ada"), 2, &key(2)).await.unwrap();
    keys.destroy(&id("ada")).await.unwrap();
    assert_eq!(kept(keys, "ada").await, Keyring::Destroyed);
    for number in 1..4 {
        let told = keys.create(&id("ada"), number, &key(3)).await.unwrap();
        assert_eq!(told, Keyring::Destroyed);
    }
    assert_eq!(kept(keys, "ada").await, Keyring::Destroyed);
}

async fn a_subject_without_a_key_is_destroyed_as_well(world: World) {
    let keys = &*world.ports.keys;
    keys.destroy(&id("ada")).await.unwrap();
    assert_eq!(keys.create(&id("ada"), 1, &key(1)).await.unwrap(), Keyring::Destroyed);
    assert_eq!(kept(keys, "ada").await, Keyring::Destroyed);
}

async fn nothing_created_while_keys_are_destroyed_outlives_it(world: World) {
    let keys = &*world.ports.keys;
    for round in 0..8 {
        let subject = id(&format!("s-{round}"));
        let created = [key(1), key(2), key(3), key(4)];
        let creators = join_all(created.iter().map(|key| keys.create(&subject, 1, key)));
        let (told, destroyed) = futures::join!(creators, keys.destroy(&subject));
        destroyed.unwrap();
        assert_eq!(told.len(), created.len());
        assert_eq!(kept(keys, subject.as_str()).await, Keyring::Destroyed);
    }
}

async fn changes_made_again_change_nothing(world: World) {
    let keys = &*world.ports.keys;
    for _ in 0..2 {
        assert_eq!(keys.create(&id("ada"), 1, &key(1)).await.unwrap(), ring(&[1]));
    }
    for _ in 0..2 {
        keys.destroy(&id("ada")).await.unwrap();
        assert_eq!(kept(keys, "ada").await, Keyring::Destroyed);
    }
}

async fn two_subjects_share_nothing(world: World) {
    let keys = &*world.ports.keys;
    let long = "x".repeat(ID_CHARS_MAX);
    let odd = ["a", "A", "a-1", "a:1", "a.1", "a~1", "a@1", "__a__", "...", &long];
    for (nth, subject) in odd.iter().enumerate() {
        keys.create(&id(subject), 1, &key(nth as u8)).await.unwrap();
    }
    keys.destroy(&id("a")).await.unwrap();
    for (nth, subject) in odd.iter().enumerate().skip(1) {
        assert_eq!(kept(keys, subject).await, ring(&[nth as u8]), "{subject}");
    }
}
