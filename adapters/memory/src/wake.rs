use tokio::sync::watch;

/// Tells the hosts of this process that there may be something to do.
#[derive(Clone, Debug)]
pub(crate) struct Wake(watch::Sender<()>);

impl Wake {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes everyone who listens.
    pub(crate) fn ring(&self) {
        self.0.send_replace(());
    }

    /// Listens from now on: a ring is heard even while nobody waits for it.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// Hears the rings since it last waited.
#[derive(Debug)]
pub(crate) struct Listener(watch::Receiver<()>);

impl Listener {
    /// Waits for a ring, unless there was one since the last wait.
    pub(crate) async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            // Nothing will ever ring again.
            std::future::pending::<()>().await;
        }
    }
}
