use std::time::Duration;

use skyfold::limits::COMMAND_BYTES_MAX;

/// How an app is served over HTTP.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many bytes the body of a request may have. A larger one is refused with status 413,
    /// and not read to its end.
    pub body_bytes_max: usize,
    /// The longest time that a reader may ask to wait for an event, and the time it waits unless
    /// it asks for another.
    pub wait_max: Duration,
    /// How long the body of a request may take to arrive; and how long the app may take to answer,
    /// the reader's own wait aside.
    pub timeout: Duration,
    /// How often a waiting reader of server-sent events hears that it is not forgotten.
    pub heartbeat: Duration,
    /// Whether whoever reaches the app may operate it as well.
    pub operations: Operations,
}

/// Whether the routes of operators are served: `/metrics` and all under `/operations`.
///
/// They show and change what no caller of the app should, and ask nobody who they are. Serve them
/// where operators alone can reach them, or behind something that lets nobody else through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operations {
    /// They do not exist.
    #[default]
    Hidden,
    /// They are served beside the app.
    Served,
}

impl Default for Options {
    /// 256 KiB, 10 seconds to wait, 30 seconds to answer, a heartbeat each second, no operations.
    fn default() -> Self {
        Self {
            body_bytes_max: COMMAND_BYTES_MAX,
            wait_max: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            heartbeat: Duration::from_secs(1),
            operations: Operations::Hidden,
        }
    }
}
