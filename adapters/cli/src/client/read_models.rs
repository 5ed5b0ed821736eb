use skyfold::{Progress, Rehearsed, Replay, Replayed, Result, RevisionState, Verified, Verify};

use super::{Client, Way};

/// What an operator does with read models; see [`ReadModel`](skyfold::ReadModel). Each fails as it
/// does there, and with [`NotFound`](skyfold::ErrorKind::NotFound) where the app runs elsewhere and
/// serves no operators.
impl Client {
    /// The revisions of the read model `name`.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::revisions`](skyfold::ReadModel::revisions).
    pub async fn revisions(&self, name: &str) -> Result<Vec<RevisionState>> {
        match &self.way {
            Way::Http(remote) => remote.revisions(name).await,
            Way::Process(runtime) => runtime.read_model(name)?.revisions().await,
        }
    }

    /// Lets `revision` of the read model `name` answer, or the newest. Returns which does.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::switch`](skyfold::ReadModel::switch).
    pub async fn switch(&self, name: &str, revision: Option<u32>) -> Result<u32> {
        match &self.way {
            Way::Http(remote) => remote.switch(name, revision).await,
            Way::Process(runtime) => runtime.read_model(name)?.switch(revision).await,
        }
    }

    /// Builds views of the read model `name` from past events, and tells `tell` how far it is. An
    /// app that runs elsewhere is asked for a few seconds of it at a time.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::replay`](skyfold::ReadModel::replay).
    pub async fn replay(
        &self,
        name: &str,
        replay: &Replay,
        tell: impl FnMut(&Progress),
    ) -> Result<Replayed> {
        match &self.way {
            Way::Http(remote) => remote.replay(name, replay, tell).await,
            Way::Process(runtime) => runtime.read_model(name)?.replay(replay, tell).await,
        }
    }

    /// What `replay` of the read model `name` would change. An app that runs elsewhere must tell it
    /// within the time of one request, and nothing of how far it is.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::rehearse`](skyfold::ReadModel::rehearse);
    /// [`Unavailable`](skyfold::ErrorKind::Unavailable) if it takes longer than a request may.
    pub async fn rehearse(
        &self,
        name: &str,
        replay: &Replay,
        tell: impl FnMut(&Progress),
    ) -> Result<Rehearsed> {
        match &self.way {
            Way::Http(remote) => remote.rehearse(name, replay).await,
            Way::Process(runtime) => runtime.read_model(name)?.rehearse(replay, tell).await,
        }
    }

    /// Compares the views of the read model `name` with a fresh fold of the log, and tells `tell`
    /// how many events were folded. An app that runs elsewhere must answer within about a minute,
    /// and tells nothing of how far it is.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::verify`](skyfold::ReadModel::verify);
    /// [`Unavailable`](skyfold::ErrorKind::Unavailable) if it takes longer than that.
    pub async fn verify(
        &self,
        name: &str,
        verify: &Verify,
        tell: impl FnMut(u64) + Send,
    ) -> Result<Verified> {
        match &self.way {
            Way::Http(remote) => remote.verify(name, verify).await,
            Way::Process(runtime) => runtime.read_model(name)?.verify(verify, tell).await,
        }
    }

    /// Removes the views of `revision` of the read model `name`, which the app lists no more.
    /// Returns how many documents there were.
    ///
    /// # Errors
    ///
    /// As of [`ReadModel::remove`](skyfold::ReadModel::remove);
    /// [`Unavailable`](skyfold::ErrorKind::Unavailable) if an app that runs elsewhere needs longer
    /// than one request may take: asked again, it goes on.
    pub async fn remove_revision(
        &self,
        name: &str,
        revision: u32,
        tell: impl FnMut(u64) + Send,
    ) -> Result<u64> {
        match &self.way {
            Way::Http(remote) => remote.remove(name, revision).await,
            Way::Process(runtime) => runtime.read_model(name)?.remove(revision, tell).await,
        }
    }
}
