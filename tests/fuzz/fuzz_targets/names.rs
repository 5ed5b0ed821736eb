//! What names things is read back as it was written, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyfold::{CommandId, EventId, StreamId, StreamName};

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<StreamId>() {
        assert_eq!(id.as_str(), text);
        assert!(!text.contains(['/', '#', '?', '%', '\\', ' ']) && text != "." && text != "..");
        let name = StreamName::new("order", &id);
        assert_eq!(name.id(), id);
        assert_eq!(name.to_string().parse::<StreamName>().unwrap(), name);
    }
    if let Ok(name) = text.parse::<StreamName>() {
        assert_eq!(StreamName::new(name.category(), &name.id()), name);
    }
    if let Ok(id) = text.parse::<EventId>() {
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
    }
    if let Ok(id) = CommandId::new(text) {
        assert_eq!(id.as_str(), text);
    }
});
