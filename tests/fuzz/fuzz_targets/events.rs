//! A recorded event is read as what the domain knows, or refused: whatever its name, its schema or
//! its data. What was read is the same when it is recorded and read again.
//!
//! The input is `Type@schema`, a line end, and the data.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skyfold::{App, NewEvent, Payload};

static APP: LazyLock<App> = LazyLock::new(order::app);

fuzz_target!(|text: &str| {
    let Some((name, data)) = text.split_once('\n') else { return };
    let Some((event_type, schema)) = name.split_once('@') else { return };
    let (Ok(schema), Ok(data)) = (schema.parse(), Payload::parse(data)) else { return };
    let event = NewEvent { event_type: event_type.to_owned(), schema, data };
    for category in ["order", "stock", "payment"] {
        let Ok(read) = APP.upcast(category, &event) else { continue };
        assert_eq!(APP.upcast(category, &read).unwrap(), read);
    }
});
