use skyfold::{Error, ErrorKind};

/// Why something has no Avro form. No text of it quotes data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AvroError {
    /// A schema says what Avro has no type for.
    #[error("{form} has no Avro schema: {place} is {what}; {fix}")]
    Inexpressible {
        /// The event and its version, such as `order.OrderPlaced.v2`.
        form: String,
        /// Where, such as `lines[].kind`.
        place: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// Data is not of the schema.
    #[error("data of {form} does not fit its schema: {place} {problem}")]
    Unfit {
        /// The event and its version.
        form: String,
        /// Where.
        place: String,
        /// What is wrong there.
        problem: &'static str,
    },
    /// Bytes are not data of the schema.
    #[error("the bytes are no data of {form}")]
    Unreadable {
        /// The event and its version.
        form: String,
        /// What Avro says.
        source: Option<Box<apache_avro::Error>>,
    },
    /// Bytes were written under a schema that is neither current nor locked.
    #[error("no event has the schema of the fingerprint {fingerprint}: lock it, or ask its writer")]
    Unknown {
        /// The fingerprint, in hexadecimal; empty if there is none.
        fingerprint: String,
    },
    /// An event has no schema that is current or locked.
    #[error("there is no schema of {form}: lock it with `schemas accept`")]
    NoSchema {
        /// The event and its version.
        form: String,
    },
}

impl From<AvroError> for Error {
    fn from(error: AvroError) -> Self {
        let kind = match error {
            AvroError::Inexpressible { .. } | AvroError::Unfit { .. } => ErrorKind::Invalid,
            AvroError::Unreadable { .. } | AvroError::Unknown { .. } => ErrorKind::Corrupt,
            AvroError::NoSchema { .. } => ErrorKind::NotFound,
        };
        Self::new(kind, "the Avro encoding").with_source(error)
    }
}
