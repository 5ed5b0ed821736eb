use lambda_runtime::Diagnostic;
use skyfold::{Error, ErrorKind};

/// Why a call failed, as Lambda passes it on.
///
/// Its type is `Skyfold.` and the code of the error's kind, such as `Skyfold.throttled`, or
/// `Skyfold.refused`: it stays the same, so that a state machine can catch it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error_type: String,
    pub(crate) message: String,
}

impl Failure {
    /// The failure of a command that the domain refused for this reason.
    pub(crate) fn refused(reason: String) -> Self {
        Self { error_type: "Skyfold.refused".to_owned(), message: reason }
    }

    /// The failure of a call that makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error_type: format!("Skyfold.{}", error.kind().code()), message: error.to_string() }
    }
}

impl From<Failure> for Diagnostic {
    fn from(Failure { error_type, message }: Failure) -> Self {
        Self { error_type, error_message: message }
    }
}
