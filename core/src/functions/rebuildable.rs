use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::functions::consumer::Delivery;
use crate::functions::view::{StoredView, listings};
use crate::functions::{Consumer, Context, Function, ProjectionFunction, Standing};
use crate::ports::{Document, DocumentKey, Listing, Write};
use crate::{Announced, Error, Payload, Projection, Result, Route, StreamName};

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

    /// The same in a collection of its own, where all that is written lasts for `lifetime`.
    fn beside(&self, collection: String, lifetime: Duration) -> Arc<dyn Rebuildable>;

    /// Whether each view is fed by the one stream that has its id.
    fn is_of_own_streams(&self) -> bool;

    /// The places in lists of the view of `key` that is `stored`.
    fn listings(&self, key: &str, stored: &StoredView) -> Result<Vec<Listing>>;

    /// The write that puts `stored` in the place of `document`, the view of `key`.
    fn write(&self, key: &str, stored: &StoredView, document: Option<&Document>) -> Result<Write>;

    /// Where its views are with `stream`.
    async fn standing(&self, context: &Context, stream: &StreamName) -> Result<Standing>;

    /// Handles what was announced of one stream. What cannot be handled, or waits behind what
    /// cannot be, is an error, and not set aside: it is no delivery.
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

    fn beside(&self, collection: String, lifetime: Duration) -> Arc<dyn Rebuildable> {
        Arc::new(Self { collection, lifetime: Some(lifetime), ..Self::new() })
    }

    fn is_of_own_streams(&self) -> bool {
        matches!(P::route(), Route::OwnStream)
    }

    fn listings(&self, key: &str, stored: &StoredView) -> Result<Vec<Listing>> {
        let view: Option<P::View> = stored.view().map(Payload::decode).transpose()?;
        listings::<P>(key, view.as_ref())
    }

    fn write(&self, key: &str, stored: &StoredView, document: Option<&Document>) -> Result<Write> {
        let view: Option<P::View> = stored.view().map(Payload::decode).transpose()?;
        let key = DocumentKey { collection: self.collection.clone(), id: key.to_owned() };
        stored.write::<P>(key, document, view.as_ref())
    }

    async fn standing(&self, context: &Context, stream: &StreamName) -> Result<Standing> {
        Consumer::standing(self, context, stream).await
    }

    async fn handle(
        &self,
        context: &Context,
        stream: &StreamName,
        announced: &[Announced],
    ) -> Result<()> {
        let mut delivery = Delivery::new(stream, announced);
        Consumer::handle(self, context, &mut delivery).await?;
        match delivery.is_held_up() {
            false => Ok(()),
            true => Err(Error::corrupt(format!("{stream} waits behind a dead letter"))),
        }
    }
}
