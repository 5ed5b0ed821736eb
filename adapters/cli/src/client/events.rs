use skyfold::ports::FeedQuery;
use skyfold::{EventPage, Result, StreamName, StreamPage, Version};

use super::{Client, Way};

/// What an operator sees of recorded events; see [`Events`](skyfold::Events). Each fails as it does
/// there, and with [`NotFound`](skyfold::ErrorKind::NotFound) where the app runs elsewhere and
/// serves no operators.
impl Client {
    /// The events of `stream` from the version `from` on, at most `limit`.
    ///
    /// # Errors
    ///
    /// As of [`Events::of`](skyfold::Events::of).
    pub async fn events_of(
        &self,
        stream: &StreamName,
        from: Version,
        limit: usize,
    ) -> Result<StreamPage> {
        match &self.way {
            Way::Http(remote) => remote.events_of(stream, from, limit).await,
            Way::Process(runtime) => runtime.events().of(stream, from, limit).await,
        }
    }

    /// A page of the events of all streams that `query` asks for, from where an earlier page ended.
    /// Over HTTP, until when is not asked.
    ///
    /// # Errors
    ///
    /// As of [`Events::read`](skyfold::Events::read).
    pub async fn events(&self, query: &FeedQuery, from: Option<&str>) -> Result<EventPage> {
        match &self.way {
            Way::Http(remote) => remote.events(query, from).await,
            Way::Process(runtime) => runtime.events().read(query, from).await,
        }
    }
}
