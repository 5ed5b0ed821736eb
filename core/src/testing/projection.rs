use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::past::Past;
use super::{assert_same, stored};
use crate::{Listed, Projection, RecordedEvent, Route};

/// Begins a test of `P`, which has no views yet.
pub fn projection<P: Projection>() -> Projected<P> {
    Projected { past: Past::default(), views: BTreeMap::new() }
}

/// A projection with the views that it has made so far.
pub struct Projected<P: Projection> {
    past: Past,
    views: BTreeMap<String, P::View>,
}

impl<P: Projection> Projected<P> {
    /// Lets `event` happen in `stream`, such as `order-42`.
    ///
    /// # Panics
    ///
    /// If `stream` is not a stream's name, or a view cannot be stored and read back as it was.
    #[must_use]
    #[track_caller]
    pub fn given(mut self, stream: &str, event: P::Input) -> Self {
        let event = self.past.record(stream, event);
        for key in keys::<P>(&event) {
            let view = self.views.remove(&key);
            if let Some(view) = P::project(&key, view, &event) {
                self.views.insert(key, stored(&view));
            }
        }
        self
    }

    /// Lets time pass.
    #[must_use]
    pub fn waits(mut self, time: Duration) -> Self {
        self.past.pass(time);
        self
    }

    /// Expects the view of `key` to be this.
    ///
    /// # Panics
    ///
    /// If it is another, or there is none.
    #[track_caller]
    pub fn shows(self, key: &str, expected: P::View) -> Self {
        match self.views.get(key) {
            Some(view) => assert_same(view, &expected, &key),
            None => panic!("there is no view {key:?}, only {:?}", self.views.keys()),
        }
        self
    }

    /// Expects no view of `key`.
    ///
    /// # Panics
    ///
    /// If there is one.
    #[track_caller]
    pub fn shows_nothing_of(self, key: &str) -> Self {
        assert!(!self.views.contains_key(key), "there is a view {key:?}");
        self
    }

    /// Expects these keys, in this order, in `list` under `under`.
    ///
    /// # Panics
    ///
    /// If there are others, or `P` declares no such list.
    #[track_caller]
    pub fn lists<const N: usize>(self, list: &str, under: &str, expected: [&str; N]) -> Self {
        assert!(P::LISTS.contains(&list), "{} declares no list {list:?}", P::NAME);
        let mut found: Vec<(String, &str)> = vec![];
        for (key, view) in &self.views {
            let places = P::listed(key, view);
            let lists: BTreeSet<_> = places.iter().map(|place| place.list).collect();
            assert_eq!(lists.len(), places.len(), "the view {key:?} is in one list twice");
            let here = |place: &&Listed| place.list == list && place.under == under;
            found.extend(places.iter().find(here).map(|place| (place.by.clone(), key.as_str())));
        }
        found.sort();
        let found: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
        assert_eq!(found, expected, "the list {list:?} under {under:?}");
        self
    }
}

/// The keys of the views that `event` changes.
fn keys<P: Projection>(event: &RecordedEvent<P::Input>) -> BTreeSet<String> {
    match P::route() {
        Route::OwnStream => BTreeSet::from([event.stream.id().as_str().to_owned()]),
        Route::Keyed(keys) => keys(event).into_iter().collect(),
    }
}

impl<P: Projection> fmt::Debug for Projected<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let views = self.views.iter().map(|(key, view)| (key, super::json(view).to_string()));
        f.debug_map().entries(views).finish()
    }
}
