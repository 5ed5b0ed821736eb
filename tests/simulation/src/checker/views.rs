//! Folds the log once more, calmly, and compares the views.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skyfold::ports::{DocumentKey, Listing};
use skyfold::{Payload, Projection, RecordedEvent, Route, StreamName, Version};

use crate::checker::spans::Spans;
use crate::checker::{Audit, is_written, letters};
use crate::evidence::Evidence;
use crate::history::Look;
use crate::newer::former;
use crate::personal::is_revealed;
use crate::subject::OwnView;
use crate::violation::{Rule, Verdict, Violation, ensure};

/// Every view of a projection is the fold of the log, is in the lists that it should be in, and
/// was so whenever a client looked; every checkpoint is at the end of its stream.
pub(crate) struct Views<P: Projection>(PhantomData<fn(P)>);

impl<P: Projection> Views<P> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

/// What a view is kept as.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    view: Option<Payload>,
    seen: Vec<(StreamName, Version)>,
}

/// What each view may be: more than one where an event was given up.
type Folded<V> = BTreeMap<String, Vec<Option<V>>>;

impl<P: Projection> Audit for Views<P> {
    fn own_view(&self) -> Option<OwnView> {
        match P::route() {
            Route::OwnStream => P::subscription()
                .categories()
                .next()
                .map(|category| OwnView { projection: P::NAME, category }),
            Route::Keyed(_) => None,
        }
    }

    fn check(&self, evidence: &Evidence) -> Verdict {
        let mut looks = looks::<P>(evidence);
        let (subscription, mut views) = (P::subscription(), Folded::<P::View>::new());
        let discarded = letters::discarded(evidence, P::NAME);
        for commit in &evidence.log.all {
            if !subscription.categories().any(|category| category == commit.stream.category()) {
                continue;
            }
            for event in commit.events() {
                let event = subscription
                    .decode(former(event))
                    .map_err(|error| Violation::new(Rule::Readable, error.to_string()))?;
                apply::<P>(&mut views, &event, discarded.contains(&event.id()));
                if let Some(looks) = looks.get_mut(&event.stream) {
                    let view = views.get(event.stream.id().as_str());
                    let expected = view.map_or(&[][..], Vec::as_slice);
                    looks.at(event.version, |look| {
                        let is = |view: &_, found: &_| is_shown(evidence, look, view, found);
                        shown(look.found.as_ref(), expected, is).is_some()
                    });
                }
            }
        }
        let wrong: Vec<_> = looks.into_values().flat_map(Spans::wrong).collect();
        ensure(Rule::LooksAreCurrent, wrong.is_empty(), || format!("{wrong:#?}"))?;
        check_documents::<P>(evidence, &views)?;
        check_checkpoints::<P>(evidence)
    }
}

fn apply<P: Projection>(
    views: &mut Folded<P::View>,
    event: &RecordedEvent<P::Input>,
    is_discarded: bool,
) {
    let keys = match P::route() {
        Route::OwnStream => vec![event.stream.id().as_str().to_owned()],
        Route::Keyed(keys) => keys(event),
    };
    for key in std::collections::BTreeSet::from_iter(keys) {
        let before = views.remove(&key).unwrap_or_else(|| vec![None]);
        let left_out = if is_discarded { before.clone() } else { vec![] };
        let projected = before.into_iter().map(|view| P::project(&key, view, event));
        let after = projected.chain(left_out).collect();
        views.insert(key, after);
    }
}

/// What clients found, each to be right between the event that it had to show and where the
/// stream ended then.
fn looks<P: Projection>(evidence: &Evidence) -> BTreeMap<&StreamName, Spans<&Look>> {
    let mut looks: BTreeMap<&StreamName, Vec<_>> = BTreeMap::new();
    for look in evidence.history.looks.iter().filter(|look| look.projection == P::NAME) {
        if let Some(ended) = look.ended {
            let span = (look.after.version, ended.head, look);
            looks.entry(&look.after.stream).or_default().push(span);
        }
    }
    looks.into_iter().map(|(stream, looks)| (stream, Spans::of(looks))).collect()
}

/// Whether `look` rightly found `found` where `view` is expected: in the place of personal data is
/// what its subject said, or nothing once that may be forgotten.
fn is_shown<V: Serialize>(evidence: &Evidence, look: &Look, view: &V, found: &Payload) -> bool {
    let is_right = |subject: &str, found: &Value| {
        let mut said = evidence.secrets.get(&look.after.stream).into_iter().flatten();
        let is_said = said.any(|(whom, secret)| whom.as_str() == subject && secret == found);
        let ended = look.ended.unwrap_or(look.began);
        is_said || (found.is_null() && evidence.history.may_have_forgotten(subject, ended))
    };
    is_written(view, found.get())
        || match (serde_json::to_value(view), found.decode()) {
            (Ok(view), Ok(found)) => is_revealed(&found, &view, &is_right),
            _ => false,
        }
}

/// The view among those `expected` that `is` what was `found`. Where none is expected there is
/// none.
fn shown<'a, V>(
    found: Option<&Payload>,
    expected: &'a [Option<V>],
    is: impl Fn(&V, &Payload) -> bool,
) -> Option<Option<&'a V>> {
    if expected.is_empty() && found.is_none() {
        return Some(None);
    }
    let is_found = |view: &&Option<V>| match (found, view) {
        (None, None) => true,
        (Some(found), Some(expected)) => is(expected, found),
        _ => false,
    };
    expected.iter().find(is_found).map(Option::as_ref)
}

fn collection<P: Projection>() -> String {
    format!("{}.{}", P::NAME, P::REVISION)
}

fn check_documents<P: Projection>(evidence: &Evidence, views: &Folded<P::View>) -> Verdict {
    let collection = collection::<P>();
    let first = DocumentKey { collection: collection.clone(), id: String::new() };
    let found = evidence.documents.range(first..);
    let found = found.take_while(|(key, _)| key.collection == collection);
    let found: BTreeMap<_, _> = found.map(|(key, kept)| (key.id.as_str(), kept)).collect();
    let missing = views.keys().find(|key| !found.contains_key(key.as_str()));
    ensure(Rule::ViewsAreThere, missing.is_none(), || format!("{collection}: {missing:?}"))?;
    for (key, kept) in found {
        let body: Body = kept
            .body
            .decode()
            .map_err(|error| Violation::new(Rule::Readable, error.to_string()))?;
        let expected = views.get(key).map_or(&[][..], Vec::as_slice);
        let is = |view: &_, found: &Payload| is_written(view, found.get());
        let Some(view) = shown(body.view.as_ref(), expected, is) else {
            let expected = serde_json::to_string(&expected).unwrap_or_default();
            let found = &kept.body;
            let found = format!("{collection}/{key}\nfound:    {found}\nexpected: {expected}");
            return Err(Violation::new(Rule::ViewsAreFolds, found));
        };
        check_listings::<P>(key, view, &kept.listings)?;
        check_seen(evidence, key, body.seen)?;
    }
    Ok(())
}

fn check_listings<P: Projection>(key: &str, view: Option<&P::View>, found: &[Listing]) -> Verdict {
    let listed = view.map(|view| P::listed(key, view)).unwrap_or_default();
    let mut expected = vec![];
    for place in listed {
        let list = P::LISTS.iter().position(|list| *list == place.list);
        let list = list.ok_or_else(|| Violation::new(Rule::ListsFit, place.list))?;
        expected.push(Listing { list, under: place.under, by: place.by });
    }
    let mut found = found.to_vec();
    found.sort();
    expected.sort();
    ensure(Rule::ListsFit, found == expected, || {
        format!("{} {key}: {found:?} instead of {expected:?}", P::NAME)
    })
}

/// A view has seen nothing that did not happen.
fn check_seen(evidence: &Evidence, key: &str, seen: Vec<(StreamName, Version)>) -> Verdict {
    for (stream, version) in seen {
        let head = evidence.log.head(&stream);
        ensure(Rule::ViewsSawThePast, version <= head, || {
            format!("{key} has seen {stream}@{version} of {head}")
        })?;
    }
    Ok(())
}

fn check_checkpoints<P: Projection>(evidence: &Evidence) -> Verdict {
    let heard: Vec<_> = P::subscription().categories().collect();
    match P::route() {
        Route::OwnStream => Ok(()),
        Route::Keyed(_) => super::check_reached(evidence, &collection::<P>(), &heard),
    }
}
