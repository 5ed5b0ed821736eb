use skyfold::{Progress, Rehearsed, Replay, Replayed, Result, RevisionState};

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
}
