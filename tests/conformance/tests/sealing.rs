//! Personal data of any form come back as they were, and no altered byte goes unnoticed.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by a panic")]

use conformance::domain::members;
use proptest::prelude::*;
use serde_json::{Value, json};
use skyfold::ports::{DocumentKey, DocumentStore, Guard, Write};
use skyfold::{Payload, Personal, Runtime};
use skyfold_memory::Memory;

/// Values with personal ones anywhere in them, also within each other.
fn values() -> impl Strategy<Value = Value> {
    let text = || prop_oneof!["[a-z\"\\\\ü€/~_]{0,8}", Just("_personal".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let field = "[a-z\"\\\\ü€/~]{0,4}";
    leaf.prop_recursive(5, 32, 4, move |inner| {
        let subject = prop_oneof![Just("ada"), Just("bob"), Just("a.b:c~d@e_f-g")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(field, inner.clone(), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            (subject, inner)
                .prop_map(|(s, v)| json!({ "_personal": { "subject": s, "value": v } })),
        ]
    })
}

fn key() -> DocumentKey {
    DocumentKey { collection: "probes".into(), id: "probe".into() }
}

async fn put(documents: &dyn DocumentStore, body: Payload) {
    let (listings, guard) = (vec![], Guard::None);
    let write = Write { key: key(), body: Some(body), listings, guard, expires: None };
    documents.write(&[write]).await.remove(0).unwrap();
}

async fn get(documents: &dyn DocumentStore) -> Payload {
    documents.get(&[key()]).await.unwrap().remove(0).unwrap().body
}

/// A place, and two processes of it.
fn place() -> (Memory, [Runtime; 2]) {
    let memory = Memory::new();
    let runtimes = [0, 1].map(|_| members().bind(memory.ports()).unwrap());
    (memory, runtimes)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_personal_comes_back_as_it_was(value in values()) {
        let (memory, [one, other]) = place();
        let payload = Payload::encode(&value).unwrap();
        let (stored, read) = block_on(async {
            put(&*one.ports().documents, payload.clone()).await;
            (get(&*memory.ports().documents).await, get(&*other.ports().documents).await)
        });
        prop_assert_eq!(read.get(), payload.get());
        prop_assert!(!stored.get().contains("\"value\":"), "{}", stored);
    }

    #[test]
    fn no_altered_byte_is_taken_for_the_value_or_for_forgotten(
        value in values(),
        at in any::<prop::sample::Index>(),
        byte in 0x20_u8..0x7f,
    ) {
        let (memory, [one, other]) = place();
        let personal = json!({ "_personal": { "subject": "ada", "value": value } });
        let read = block_on(async {
            put(&*one.ports().documents, Payload::encode(&personal).unwrap()).await;
            let raw = memory.ports().documents;
            let mut bytes = get(&*raw).await.get().as_bytes().to_vec();
            let at = at.index(bytes.len());
            if bytes[at] == byte {
                return None;
            }
            bytes[at] = byte;
            let altered = Payload::parse(std::str::from_utf8(&bytes).unwrap()).ok()?;
            put(&*raw, altered).await;
            Some(get(&*other.ports().documents).await)
        });
        if let Some(read) = read {
            let found = read.decode::<Personal<Value>>();
            prop_assert!(found.is_err(), "{}", read);
        }
    }
}
