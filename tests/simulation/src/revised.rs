//! The next revision of a projection, which shows the same.

use std::marker::PhantomData;

use skyfold::{Listed, Projection, RecordedEvent, Route, Subscription};

/// `P` in its next revision: a function of its own, with views of its own.
#[derive(Debug)]
pub(crate) struct Revised<P>(PhantomData<fn(P)>);

impl<P: Projection> Projection for Revised<P> {
    const NAME: &'static str = P::NAME;
    const REVISION: u32 = P::REVISION + 1;
    const LISTS: &'static [&'static str] = P::LISTS;
    type Input = P::Input;
    type View = P::View;

    fn subscription() -> Subscription<P::Input> {
        P::subscription()
    }

    fn route() -> Route<P::Input> {
        P::route()
    }

    fn project(
        key: &str,
        view: Option<P::View>,
        event: &RecordedEvent<P::Input>,
    ) -> Option<P::View> {
        P::project(key, view, event)
    }

    fn listed(key: &str, view: &P::View) -> Vec<Listed> {
        P::listed(key, view)
    }
}
