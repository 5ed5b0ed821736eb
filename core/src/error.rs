use std::fmt;
use std::time::Duration;

/// A specialised result whose default error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The version or revision expected is not the current one: reload and decide again.
    Conflict,
    /// The id was used before, for something else: use another id.
    Duplicate,
    /// The thing named does not exist.
    NotFound,
    /// The service asks for fewer requests: retry after a delay.
    Throttled,
    /// The item exceeds a portable limit; it will not fit on a retry either.
    Oversized,
    /// Stored data cannot be read back as what it claims to be.
    Corrupt,
    /// What is stored was written by a newer release of the app: a process of that release reads
    /// it, and so will this one once it is replaced.
    Newer,
    /// The request makes no sense and never will.
    Invalid,
    /// The credentials do not permit the operation.
    Denied,
    /// The service could not be reached or did not answer. A write may have been applied.
    Unavailable,
    /// None of the above.
    Unexpected,
}

impl ErrorKind {
    /// Whether the same request may succeed later, unchanged.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }

    /// Whether the same request, unchanged, will fail for good: what meets such an error is set
    /// aside rather than tried again.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Corrupt | Self::Denied | Self::Invalid | Self::NotFound | Self::Oversized
        )
    }

    /// The kind as a word for machines, such as a problem type: `too-large` stays stable when the
    /// variant is renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Duplicate => "id-reused",
            Self::NotFound => "not-found",
            Self::Throttled => "throttled",
            Self::Oversized => "too-large",
            Self::Corrupt => "corrupt",
            Self::Newer => "newer-release",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Unexpected => "unexpected",
        }
    }
}

/// The error of every port and portable type.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`, described by `message`: lowercase, no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, source: None }
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Attaches the delay the service asked for.
    #[must_use]
    pub fn with_retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// The category callers act on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong, without its kind and cause.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The delay the service asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }

    /// Whether another writer was faster.
    pub(crate) fn is_conflict(&self) -> bool {
        self.kind == ErrorKind::Conflict
    }

    /// Stored data that cannot be read back.
    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// A request that makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
