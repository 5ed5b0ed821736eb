use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Category, Decider, RecordedEvent, Result, codec};

type Decode<I> = Arc<dyn Fn(RecordedEvent) -> Result<RecordedEvent<I>> + Send + Sync>;

/// The categories whose events a projection or saga hears, and how each becomes its input.
pub struct Subscription<I>(BTreeMap<Category, Decode<I>>);

impl<I: 'static> Subscription<I> {
    /// Hears the events of `D` as they are.
    pub fn of<D: Decider<Event = I>>() -> Self {
        Self::to::<D>(|event| event)
    }

    /// Hears the events of `D`, each made an input by `wrap`.
    pub fn to<D: Decider>(wrap: fn(D::Event) -> I) -> Self {
        Self(BTreeMap::new()).and::<D>(wrap)
    }

    /// Also hears the events of `D`, each made an input by `wrap`.
    #[must_use]
    pub fn and<D: Decider>(mut self, wrap: fn(D::Event) -> I) -> Self {
        let upcasters = D::upcasters();
        let decode = move |event: RecordedEvent| {
            let data = codec::read(&event, &upcasters)?;
            Ok(event.with_data(wrap(data)))
        };
        self.0.insert(D::CATEGORY, Arc::new(decode));
        self
    }

    /// The categories heard.
    pub fn categories(&self) -> impl Iterator<Item = Category> + '_ {
        self.0.keys().copied()
    }

    /// Whether events of `category` are heard.
    pub(crate) fn hears(&self, category: &str) -> bool {
        self.0.contains_key(category)
    }

    /// The input that `event` is.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::ErrorKind::Corrupt), naming it, if it cannot be read,
    /// [`Newer`](crate::ErrorKind::Newer) if a newer release recorded it,
    /// [`Invalid`](crate::ErrorKind::Invalid) if its category is not heard.
    pub fn decode(&self, event: RecordedEvent) -> Result<RecordedEvent<I>> {
        match self.0.get(event.stream.category()) {
            Some(decode) => decode(event),
            None => Err(crate::Error::invalid(format!("{} is not subscribed to", event.stream))),
        }
    }
}

impl<I> fmt::Debug for Subscription<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
