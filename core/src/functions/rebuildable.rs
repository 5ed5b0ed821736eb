use std::sync::Arc;

use async_trait::async_trait;

use crate::functions::{Context, Function, ProjectionFunction};
use crate::{Announced, Projection, Result, StreamName};

/// One revision of a read model, as those see it who rebuild it, compare it and switch to it.
#[async_trait]
pub(crate) trait Rebuildable: Send + Sync {
    /// The read model's name, the same for all of its revisions.
    fn name(&self) -> &'static str;

    /// Which revision it is.
    fn revision(&self) -> u32;

    /// The collection of its views.
    fn collection(&self) -> &str;

    /// The categories whose events it hears.
    fn hears(&self) -> Vec<String>;

    /// The same under the name of its revision, so that another one can have the bare name.
    fn named_by_revision(&self) -> Arc<dyn Function>;

    /// Handles what was announced of one stream.
    async fn handle(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
    ) -> Result<()>;
}

#[async_trait]
impl<P: Projection> Rebuildable for ProjectionFunction<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn revision(&self) -> u32 {
        P::REVISION
    }

    fn collection(&self) -> &str {
        &self.collection
    }

    fn hears(&self) -> Vec<String> {
        self.descriptor().hears
    }

    fn named_by_revision(&self) -> Arc<dyn Function> {
        let name = format!("{}.{}", P::NAME, P::REVISION);
        Arc::new(Self { name, ..Self::new() })
    }

    async fn handle(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
    ) -> Result<()> {
        Self::handle(self, context, stream, announced).await
    }
}
