//! A sweep looks for recorded events that were announced to nobody, and announces them again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ports::{DocumentKey, FeedQuery, Guard, Position, Unreadable, Write};
use crate::stores::one;
use crate::{CloudEvent, Payload, RecordedCommit, Result, Runtime, StreamName, Version};

/// The collection of the documents that say how far sweeps have come.
const COLLECTION: &str = "sweeps";

/// How long a consumer has for a commit before it counts as missed.
const MISSED_AFTER: Duration = Duration::from_secs(60);

/// How many pages of each slice one sweep reads, so that it ends within minutes.
const PAGES_MAX: usize = 20;

/// What a sweep has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    /// How many commits it looked at that none before had.
    pub commits: u64,
    /// How many streams it announced once more.
    pub announced: u64,
    /// Whether there is more to look at: sweep again.
    pub is_more: bool,
}

impl Runtime {
    /// Looks for commits that a projection or saga which hears them has not handled a minute after
    /// they were recorded, and does not hold back behind a dead letter, and announces their
    /// streams once more. For schedules: it makes good what was lost between the store and the bus,
    /// or by the bus. It goes on where the last one ended; of two at once, both may announce.
    ///
    /// # Errors
    ///
    /// The first of those of the ports, once all slices were looked at: one that fails keeps back
    /// no other. The next sweep begins at the page that this one could not finish.
    pub async fn sweep(&self) -> Result<Swept> {
        let (mut swept, mut failed) = (Swept::default(), None);
        for slice in 0..self.ports().feed.slices() {
            if let Err(error) = self.sweep_slice(slice, &mut swept).await {
                tracing::warn!(slice, %error, "a slice of the feed could not be swept to its end");
                failed = failed.or(Some(error));
            }
        }
        let Some(error) = failed else { return Ok(swept) };
        // Whoever sweeps hears of the error alone.
        if swept.announced > 0 {
            tracing::warn!(?swept, "elsewhere events were announced again");
        }
        Err(error)
    }

    async fn sweep_slice(&self, slice: u16, swept: &mut Swept) -> Result<()> {
        let ports = self.ports();
        let key = DocumentKey { collection: COLLECTION.into(), id: slice.to_string() };
        let saved = one(&*ports.documents, &key).await?;
        let mut from: Option<Position> = saved.map(|saved| saved.body.decode()).transpose()?;
        for _ in 0..PAGES_MAX {
            let page = ports.feed.read(slice, &FeedQuery::default(), from.as_ref()).await?;
            let ripe = ports.clock.now() - MISSED_AFTER;
            let all = page.commits.len();
            let commits: Vec<_> =
                page.commits.into_iter().filter(|commit| commit.commit.time() <= ripe).collect();
            swept.announced += self.announce_missed(&commits, &page.unreadable).await?;
            swept.commits += commits.len() as u64;
            if commits.len() < all {
                // The others are to be looked at when their time has come.
                return Ok(());
            }
            if from.as_ref() != Some(&page.next) {
                let body = Some(Payload::encode(&page.next)?);
                let (listings, guard, expires) = (vec![], Guard::None, None);
                let write = Write { key: key.clone(), body, listings, guard, expires };
                ports.documents.write(&[write]).await.into_iter().collect::<Result<Vec<_>>>()?;
            }
            if page.is_tail {
                return Ok(());
            }
            from = Some(page.next);
        }
        swept.is_more = true;
        Ok(())
    }

    /// Announces the streams of `commits`, and of what is `unreadable`, that somebody has missed.
    /// Returns how many.
    async fn announce_missed(
        &self,
        commits: &[RecordedCommit],
        unreadable: &[Unreadable],
    ) -> Result<u64> {
        let (app, now) = (self.app().name(), self.now());
        // A doorbell: whoever hears it reads the store.
        let last = commits.iter().filter_map(|commit| commit.events().last());
        let last = last.map(|event| CloudEvent::new(app, &event).by_reference());
        let unread = unreadable.iter().filter_map(|unreadable| unreadable.event.clone());
        let unread = unread.map(|event| CloudEvent::unreadable(app, event, now));
        let mut streams: BTreeMap<StreamName, CloudEvent> = BTreeMap::new();
        for event in last.chain(unread) {
            let known = streams.get(&event.subject);
            if known.is_none_or(|known| known.id.version < event.id.version) {
                streams.insert(event.subject.clone(), event);
            }
        }
        let mut news = vec![];
        for (stream, event) in streams {
            if self.is_missed(&stream, event.id.version).await? {
                news.push(event);
            }
        }
        if !news.is_empty() {
            let outcomes = self.ports().publisher.publish(&news).await;
            outcomes.into_iter().collect::<Result<Vec<_>>>()?;
        }
        Ok(news.len() as u64)
    }

    /// Whether somebody who hears `stream` has not handled `version`, and does not wait before it.
    async fn is_missed(&self, stream: &StreamName, version: Version) -> Result<bool> {
        for function in self.app().functions().values() {
            let Some(consumer) = function.consumer() else { continue };
            if consumer.hears(stream.category()) {
                let standing = consumer.standing(self.context(), stream).await?;
                if standing.reached < version && !standing.is_waiting {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
