use skyfold::ports::FeedQuery;
use skyfold::{EventPage, Result, StreamName, StreamPage, Version};

use super::{Asked, Remote, text_of};

impl Remote {
    pub(crate) async fn events_of(
        &self,
        stream: &StreamName,
        from: Version,
        limit: usize,
    ) -> Result<StreamPage> {
        let query = vec![("from", from.to_string()), ("limit", limit.to_string())];
        let asked = Asked::of(["operations", "events", stream.as_str()]);
        self.answer(Asked { query, ..asked }, None).await
    }

    pub(crate) async fn events(&self, query: &FeedQuery, from: Option<&str>) -> Result<EventPage> {
        let FeedQuery { categories, since, until: _ } = query;
        let categories = categories.iter().map(|category| ("category", category.clone()));
        let mut parameters: Vec<_> = categories.collect();
        if let Some(since) = since {
            parameters.push(("since", text_of(*since)?));
        }
        parameters.extend(from.map(|from| ("cursor", from.to_owned())));
        let asked = Asked { query: parameters, ..Asked::of(["operations", "events"]) };
        self.answer(asked, None).await
    }
}
