use crate::ports::FeedQuery;
use crate::{Announced, Error, ErrorKind, Failed, RecordedCommit, Reply, Result, Runtime, Trigger};

impl Runtime {
    /// Delivers the past events of `query` once more to the projection or saga `name`, as the bus
    /// would: what the relay or the bus has missed is made good, and what was handled before is
    /// dropped. Returns how many events there were.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if nothing of that name hears events; the first event
    /// that could not be handled.
    pub async fn redeliver(&self, name: &str, query: &FeedQuery) -> Result<u64> {
        let function = self.app().descriptor(name);
        let function = function.filter(|function| !function.hears.is_empty());
        let Some(function) = function else {
            let message = format!("no projection or saga {name}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let mut query = query.clone();
        if query.categories.is_empty() {
            query.categories.clone_from(&function.hears);
        }
        let (feed, mut events) = (&self.ports().feed, 0);
        for slice in 0..feed.slices() {
            let mut from = None;
            loop {
                let page = feed.read(slice, &query, from.as_ref()).await?.whole()?;
                events += self.deliver(name, &function.hears, &page.commits).await?;
                if page.is_tail {
                    break;
                }
                from = Some(page.next);
            }
        }
        Ok(events)
    }

    async fn deliver(
        &self,
        name: &str,
        hears: &[String],
        commits: &[RecordedCommit],
    ) -> Result<u64> {
        let heard = commits
            .iter()
            .filter(|commit| hears.iter().any(|category| category == commit.stream.category()));
        let events: Vec<_> = heard.flat_map(RecordedCommit::events).map(Announced::Event).collect();
        let count = events.len() as u64;
        let Reply::Handled(failed) = self.invoke(name, Trigger::Events(events)).await? else {
            return Ok(count);
        };
        match failed.into_iter().next() {
            None => Ok(count),
            Some(Failed { event, error }) => {
                Err(Error::new(error.kind(), format!("{event} could not be handled"))
                    .with_source(error))
            }
        }
    }
}
