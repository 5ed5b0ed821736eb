//! What is simulated: an app, what is asked of it, and what must hold of it.

use fastrand::Rng;
use skyfold::{App, Descriptor, Kind, Manifest};

use crate::checker::Audit;
use crate::plan::{Ask, Size};

/// An app, and all that a simulation must know of it.
pub(crate) struct Subject {
    pub(crate) app: App,
    /// The app before it was mended: it fails on some events.
    pub(crate) fragile: App,
    /// The app with a new revision of some read models beside the old one.
    pub(crate) revised: App,
    /// The next version of the app, whose states have another form.
    pub(crate) next: App,
    /// The next version of the app, whose events have another form as well.
    pub(crate) evolved: App,
    /// Thinks up commands.
    pub(crate) asks: fn(&mut Rng, Size) -> Vec<Ask>,
    /// What must hold of its streams and views.
    pub(crate) audits: Vec<Box<dyn Audit>>,
    /// The function that announces.
    pub(crate) relay: String,
    /// Projections and sagas, and the categories that they hear.
    pub(crate) consumers: Vec<(String, Vec<String>)>,
    /// The categories that take commands.
    pub(crate) categories: Vec<String>,
    /// A projection whose views make sense with an event left out.
    pub(crate) forgiving: &'static str,
    /// The functions of new revisions, and the categories that they hear.
    pub(crate) revised_consumers: Vec<(String, Vec<String>)>,
    /// What must hold of their views.
    pub(crate) revised_audits: Vec<Box<dyn Audit>>,
    /// The projections whose views have the ids of streams.
    pub(crate) own_views: Vec<OwnView>,
}

/// A projection that keeps one view for each stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnView {
    pub(crate) projection: &'static str,
    pub(crate) category: &'static str,
}

impl Subject {
    pub(crate) fn new(
        [app, fragile, revised, next, evolved]: [App; 5],
        asks: fn(&mut Rng, Size) -> Vec<Ask>,
        audits: Vec<Box<dyn Audit>>,
        revised_audits: Vec<Box<dyn Audit>>,
        forgiving: &'static str,
    ) -> Self {
        let manifest: Manifest = app.manifest();
        let is_new = |function: &&Descriptor| manifest.function(&function.name).is_none();
        let with_new = revised.manifest();
        let new = with_new.functions.iter().filter(is_new);
        let revised_consumers: Vec<_> = new.map(|f| (f.name.clone(), f.hears.clone())).collect();
        let of = |kind| manifest.functions.iter().filter(move |f| f.kind == kind);
        let relay = of(Kind::Relay).map(|f| f.name.clone()).next();
        let hearing = manifest.functions.iter().filter(|f| !f.hears.is_empty());
        let own_views = audits.iter().filter_map(|audit| audit.own_view()).collect();
        Self {
            relay: relay.expect("every app has a relay"),
            consumers: hearing.map(|f| (f.name.clone(), f.hears.clone())).collect(),
            categories: of(Kind::Command).map(|f| f.name.clone()).collect(),
            app,
            fragile,
            forgiving,
            revised,
            revised_consumers,
            revised_audits,
            next,
            evolved,
            asks,
            audits,
            own_views,
        }
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("app", &self.app).finish_non_exhaustive()
    }
}
