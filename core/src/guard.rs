use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, ErrorKind, Result};

/// Calls the domain's code. A panic there is an error that names the stream or event it met.
pub(crate) fn guarded<T>(what: impl FnOnce() -> String, call: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Error::new(ErrorKind::Corrupt, format!("{} panicked: {text}", what()))
    })
}
