use std::time::Duration;

use skyfold::{Error, ErrorKind, Result};
use tokio::time::Instant;

use crate::background::Settle;
use crate::{Client, Console, Output};

/// How long to wait between two looks at the app's health.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// For how long nothing must have happened before the app counts as settled.
const QUIET: Duration = Duration::from_secs(1);

/// How long to wait for that.
const SETTLE_MAX: Duration = Duration::from_secs(120);

/// What a command of the command line works with.
#[derive(Clone)]
pub struct Context {
    client: Client,
    output: Output,
    console: Console,
    base_url: Option<String>,
    settle: Option<Settle>,
}

impl Context {
    pub(crate) fn new(
        client: Client,
        output: Output,
        console: Console,
        base_url: Option<String>,
        settle: Option<Settle>,
    ) -> Self {
        Self { client, output, console, base_url, settle }
    }

    /// The same, where the app is being served at `url`.
    pub(crate) fn at(self, url: String) -> Self {
        Self { base_url: Some(url), ..self }
    }

    /// Gives commands and asks questions, here or where `--url` says.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where results go.
    pub fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// Where the app answers over HTTP, if it does: what `--url` says, or where it is being
    /// served.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// Waits until what was sent so far has had its effects: until the background work of this
    /// process has come to rest, as [`Cli::settle`](crate::Cli::settle) tells it.
    ///
    /// Where nobody can tell, as of an app that runs elsewhere, it waits until no projection or
    /// saga is behind the newest commits and nothing was recorded for a second. A command that a
    /// queue holds longer than that is not waited for.
    ///
    /// # Errors
    ///
    /// Those of the app; [`Unavailable`](ErrorKind::Unavailable) if it takes longer than two
    /// minutes.
    pub async fn settle(&self) -> Result<()> {
        match (&self.settle, self.client.runtime()) {
            (Some(settle), Ok(runtime)) => settle(runtime.clone()).await,
            _ => self.settle_by_health().await,
        }
    }

    async fn settle_by_health(&self) -> Result<()> {
        let started = Instant::now();
        let (mut head, mut quiet_since) = (None, started);
        while started.elapsed() < SETTLE_MAX {
            let health = self.client.health().await?;
            let is_behind = health.consumers.iter().any(|lag| lag.behind > 0);
            if is_behind || health.head != head {
                (head, quiet_since) = (health.head, Instant::now());
            }
            if quiet_since.elapsed() >= QUIET {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        let seconds = SETTLE_MAX.as_secs();
        let message = format!("the app has not come to rest within {seconds} seconds: see health");
        Err(Error::new(ErrorKind::Unavailable, message))
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { client, output, base_url, .. } = self;
        f.debug_struct("Context")
            .field("client", client)
            .field("output", output)
            .field("base_url", base_url)
            .finish_non_exhaustive()
    }
}
