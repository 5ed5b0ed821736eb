use super::replay::heard;
use crate::ports::{FeedPage, FeedQuery};
use crate::{Announced, Error, ErrorKind, Failed, RecordedCommit, Reply, Result, Runtime, Trigger};

impl Runtime {
    /// Delivers the past events of `query` once more to the projection or saga `name`, as the bus
    /// would: what the relay or the bus has missed or given up is made good, and what was handled
    /// before is dropped. What cannot be read, or handled at all, is set aside, so that its stream
    /// alone waits. Returns how many events there were.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if nothing of that name hears events;
    /// [`Invalid`](ErrorKind::Invalid) for a category that it does not hear; the first event
    /// that could not be handled now: asked again, all are delivered again.
    pub async fn redeliver(&self, name: &str, query: &FeedQuery) -> Result<u64> {
        let function = self.app().descriptor(name);
        let function = function.filter(|function| !function.hears.is_empty());
        let Some(function) = function else {
            let message = format!("no projection or saga {name}");
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let categories = heard(name, function.hears, &query.categories)?;
        let query = FeedQuery { categories, ..query.clone() };
        let (feed, mut events) = (&self.ports().feed, 0);
        for slice in 0..feed.slices() {
            let mut from = None;
            loop {
                let page = feed.read(slice, &query, from.as_ref()).await?;
                events += self.deliver(name, &page).await?;
                if page.is_tail {
                    break;
                }
                from = Some(page.next);
            }
        }
        Ok(events)
    }

    async fn deliver(&self, name: &str, page: &FeedPage) -> Result<u64> {
        let read = page.commits.iter().flat_map(RecordedCommit::events).map(Announced::Event);
        let unread = page.unreadable.iter().filter_map(|item| item.event.clone());
        let events: Vec<_> = read.chain(unread.map(Announced::Reference)).collect();
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
