use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use skyfold::{
    Payload, Progress, Rehearsed, Replay, ReplayStep, Replayed, Result, RevisionState, Start,
    Verified, Verify,
};

use super::{Asked, Remote};

/// How much longer than other answers a comparison may take: views that differ are looked at again.
const SETTLING: Duration = Duration::from_secs(60);

/// The revisions of a read model.
#[derive(Deserialize)]
struct Revisions {
    items: Vec<RevisionState>,
}

/// Which revision is to answer or to be removed, or which does.
#[derive(Serialize, Deserialize)]
struct Of<T> {
    revision: T,
}

/// How many documents were removed.
#[derive(Deserialize)]
struct Dropped {
    removed: u64,
}

impl Remote {
    pub(crate) async fn revisions(&self, name: &str) -> Result<Vec<RevisionState>> {
        let asked = Asked::of(["operations", "read-models", name]);
        let page: Revisions = self.answer(asked, None).await?;
        Ok(page.items)
    }

    pub(crate) async fn switch(&self, name: &str, revision: Option<u32>) -> Result<u32> {
        let switched: Of<u32> = self.operate(name, "switch", &Of { revision }).await?;
        Ok(switched.revision)
    }

    pub(crate) async fn replay(
        &self,
        name: &str,
        replay: &Replay,
        mut tell: impl FnMut(&Progress),
    ) -> Result<Replayed> {
        let mut replay = replay.clone();
        loop {
            match self.operate(name, "replay", &replay).await? {
                ReplayStep::Ended(replayed) => return Ok(replayed),
                ReplayStep::Paused(pause) => {
                    tell(&pause.progress);
                    tokio::time::sleep(pause.rest()).await;
                    replay.start = Start::Resume;
                }
            }
        }
    }

    pub(crate) async fn rehearse(&self, name: &str, replay: &Replay) -> Result<Rehearsed> {
        self.operate(name, "rehearse", replay).await
    }

    pub(crate) async fn verify(&self, name: &str, verify: &Verify) -> Result<Verified> {
        self.operate_for(SETTLING, name, "verify", verify).await
    }

    pub(crate) async fn remove(&self, name: &str, revision: u32) -> Result<u64> {
        let dropped: Dropped = self.operate(name, "drop", &Of { revision }).await?;
        Ok(dropped.removed)
    }

    async fn operate<T: DeserializeOwned>(
        &self,
        name: &str,
        what: &str,
        request: &(impl Serialize + Sync),
    ) -> Result<T> {
        self.operate_for(Duration::ZERO, name, what, request).await
    }

    /// The same, where the app may take so much longer than usual.
    async fn operate_for<T: DeserializeOwned>(
        &self,
        wait: Duration,
        name: &str,
        what: &str,
        request: &(impl Serialize + Sync),
    ) -> Result<T> {
        let body = Some(Payload::encode(request)?);
        let asked = Asked::of(["operations", "read-models", name, what]);
        self.answer(Asked { body, wait, ..asked }, None).await
    }
}
