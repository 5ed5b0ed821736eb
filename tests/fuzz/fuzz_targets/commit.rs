//! A stored commit is read back as it was, or refused, whatever a store returns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyfold::{Commit, Payload};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(commit) = serde_json::from_slice::<Commit>(bytes) {
        let text = serde_json::to_string(&commit).unwrap();
        assert_eq!(serde_json::from_str::<Commit>(&text).unwrap(), commit);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(payload) = Payload::parse(text)
    {
        assert_eq!(Payload::parse(payload.get()).unwrap(), payload);
    }
});
