use std::sync::Arc;

use async_trait::async_trait;
use skyfold::Result;
use skyfold::ports::{
    Document, DocumentKey, DocumentStore, ListQuery, Page, Revision, ScanQuery, Write,
};

use crate::ports::call::Call;
use crate::ports::gate::{Effect, Fate, Gate};

/// The document store, as a process finds it on a bad day.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) store: Arc<dyn DocumentStore>,
    pub(crate) gate: Gate,
}

impl Documents {
    /// Makes those changes of `batch` that are not to fail, and keeps account of them.
    async fn apply(&self, batch: &[Write], fates: Vec<Fate>) -> Vec<Result<Revision>> {
        let is_made = |fate: &Fate| !matches!(fate, Fate::Failed(_));
        let made = batch.iter().zip(&fates).filter(|(_, fate)| is_made(fate));
        let made: Vec<_> = made.map(|(write, _)| write.clone()).collect();
        let mut outcomes = self.store.write(&made).await.into_iter();
        let mut state = self.gate.world.lock();
        let mut answers = vec![];
        for (write, fate) in batch.iter().zip(fates) {
            if let Fate::Failed(error) = fate {
                answers.push(Err(error));
                continue;
            }
            let outcome = outcomes.next().expect("the store answers every write");
            match &outcome {
                Ok(_) => {
                    write.body.iter().for_each(|body| state.inspect(&write.key, body));
                    state.documents.insert(write.key.clone(), write.listings.clone());
                }
                Err(error) => state.note(format_args!("{}: {error}", write.key.id)),
            }
            answers.push(match fate {
                Fate::Lost(error) => Err(error),
                _ => outcome,
            });
        }
        answers
    }
}

#[async_trait]
impl DocumentStore for Documents {
    async fn get(&self, keys: &[DocumentKey]) -> Result<Vec<Option<Document>>> {
        self.gate.pass(Effect::Read, Call::Get(keys), self.store.get(keys)).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        let (fates, ending) = match self.gate.fates(Call::Write(batch), batch.len()).await {
            Ok(fates) => fates,
            Err(error) => return super::all_failed(&error, batch.len()),
        };
        let answers = self.apply(batch, fates).await;
        self.gate.end(ending).await;
        answers
    }

    async fn list(&self, query: &ListQuery) -> Result<Page> {
        self.gate.pass(Effect::Read, Call::List(query), self.store.list(query)).await
    }

    async fn scan(&self, query: &ScanQuery) -> Result<Page> {
        self.gate.pass(Effect::Read, Call::Scan(query), self.store.scan(query)).await
    }
}
