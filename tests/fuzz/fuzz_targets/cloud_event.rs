//! An envelope from a bus is understood or refused; what is understood says the same once more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyfold::{Announced, CloudEvent};

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<CloudEvent>(bytes) else { return };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<CloudEvent>(&text).unwrap(), event);
    let Ok(announced) = event.into_announced() else { return };
    if let Announced::Event(recorded) = &announced {
        let again = CloudEvent::new("order", recorded).into_announced().unwrap();
        assert_eq!(again, announced);
    }
});
