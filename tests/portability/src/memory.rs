use async_trait::async_trait;
use skyfold::ports::Listing;
use skyfold::{Payload, Ports, Result, Runtime};
use skyfold_memory::{DumpedListing, Memory};

use crate::{Document, Stage, Stored, streams};

/// The memory adapter, which all others are compared with.
#[derive(Debug)]
pub struct InMemory(pub Memory);

#[async_trait]
impl Stage for InMemory {
    fn ports(&self) -> Ports {
        self.0.ports()
    }

    async fn settle(&self, runtime: &Runtime) -> Result<()> {
        self.0.settle(runtime).await
    }

    async fn stored(&self) -> Result<Stored> {
        self.0.calm();
        let documents = self.0.dump()?.documents.into_iter().map(|document| {
            let place = |place: &DumpedListing| Listing {
                list: place.list,
                under: place.under.clone(),
                by: place.by.clone(),
            };
            Ok(Document {
                collection: document.collection,
                id: document.id,
                body: Payload::encode(&document.body)?,
                listings: document.listings.iter().map(place).collect(),
            })
        });
        let documents = documents.collect::<Result<_>>()?;
        Ok(Stored { streams: streams(&*self.0.ports().feed).await?, documents })
    }
}
