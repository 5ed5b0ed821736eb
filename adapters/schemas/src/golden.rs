//! Data of a locked form, and what it is by now.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skyfold::{App, Error, ErrorKind, NewEvent, Payload, Result};

use crate::folder::Form;
use crate::sample::samples;

/// What golden data is when it is read and written again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Now {
    /// The type that it is of.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The version of its schema.
    pub(crate) version: u32,
    /// The data.
    pub(crate) data: Vec<Value>,
}

impl Now {
    /// Whether it is of `form` itself.
    pub(crate) fn is(&self, form: &Form) -> bool {
        (&self.event_type, self.version) == (&form.event_type, form.version)
    }

    /// Whether it is of the same form as `other`.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.event_type, self.version) == (&other.event_type, other.version)
    }
}

/// Reads `samples` of `form` as `app` does, and writes them again.
pub(crate) fn read(app: &App, form: &Form, samples: &[Value]) -> Result<Now> {
    let Form { category, event_type, version } = form;
    let mut now = Now { event_type: event_type.clone(), version: *version, data: vec![] };
    for (nth, sample) in samples.iter().enumerate() {
        let data = Payload::encode(sample)?;
        let event = NewEvent { event_type: event_type.clone(), schema: *version, data };
        let read = app.upcast(category, &event).map_err(|error| {
            let message = format!("its golden data cannot be read, at [{nth}]");
            Error::new(error.kind(), message).with_source(error)
        })?;
        (now.event_type, now.version) = (read.event_type, read.schema);
        now.data.push(read.data.decode()?);
    }
    Ok(now)
}

/// Makes golden data of `form`, whose schema is `schema`.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if the app cannot read what its schema describes.
pub(crate) fn make(app: &App, form: &Form, schema: &Value) -> Result<Vec<Value>> {
    let samples = samples(schema);
    let now = read(app, form, &samples).map_err(|error| {
        let message = format!(
            "no sample of {form} can be made of its schema: give the schema of its texts \
             examples, or write {} yourself, as a list of data",
            form.golden_file()
        );
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    let mut golden: Vec<Value> = vec![];
    for data in now.data {
        if !golden.contains(&data) {
            golden.push(data);
        }
    }
    Ok(golden)
}
