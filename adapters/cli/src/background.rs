use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use skyfold::{Error, ErrorKind, Result, Runtime};
use tokio::task::JoinHandle;

use crate::{Context, Exit};

/// A future of any kind.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Ends when the background work has come to rest.
pub(crate) type Settle = Arc<dyn Fn(Runtime) -> BoxFuture<Result<()>> + Send + Sync>;

/// What delivers and works while a command runs, if anything does.
#[derive(Default)]
pub(crate) struct Background(Option<Box<dyn FnOnce(Runtime) -> BoxFuture<()> + Send>>);

impl Background {
    pub(crate) fn new<Fut>(work: impl FnOnce(Runtime) -> Fut + Send + 'static) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Some(Box::new(|runtime| Box::pin(work(runtime)))))
    }

    /// Runs the `command` of `context` with this beside it, in this process.
    pub(crate) async fn beside(
        self,
        context: &Context,
        command: impl Future<Output = Result<Exit>>,
    ) -> Result<Exit> {
        let (Some(work), Ok(runtime)) = (self.0, context.client().runtime()) else {
            return command.await;
        };
        let mut work = Working(tokio::spawn(work(runtime.clone())));
        let outcome = tokio::select! {
            outcome = command => outcome,
            ended = &mut work.0 => {
                let message = "what delivers events in the background has ended: restart the app";
                let error = Error::new(ErrorKind::Unexpected, message);
                return Err(match ended {
                    Ok(()) => error,
                    Err(panic) => error.with_source(panic),
                });
            }
        };
        work.0.abort();
        // It is gone before the process begins to end, and so does not see its tasks vanish.
        let _ = (&mut work.0).await;
        outcome
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Background").field(&self.0.is_some()).finish()
    }
}

/// A task that ends when this is dropped.
struct Working(JoinHandle<()>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.abort();
    }
}
