use crate::{Data, RecordedEvent, Subscription};

/// Which views an event changes.
#[derive(Debug)]
pub enum Route<I> {
    /// The one that has the id of the event's stream: one read and one write for each batch.
    OwnStream,
    /// Those of these keys, which may be none.
    ///
    /// A view fed by many streams remembers the versions that it has seen of them, and how far
    /// each stream has been handled is kept in a checkpoint beside it: two reads and two writes.
    Keyed(fn(&RecordedEvent<I>) -> Vec<String>),
}

/// A place of a view in one of its projection's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which list: one of [`Projection::LISTS`].
    pub list: &'static str,
    /// What the list is of, such as a customer.
    pub under: String,
    /// What the list is ordered by, as text, such as a date.
    pub by: String,
}

impl Listed {
    /// A place in `list`, among what is listed `under` this, ordered `by` that.
    pub fn new(list: &'static str, under: impl Into<String>, by: impl Into<String>) -> Self {
        Self { list, under: under.into(), by: by.into() }
    }
}

/// A read model, as a pure fold of events into views.
///
/// The runtime applies each event once and in stream order to each view, whatever the bus does,
/// so `project` need not think of duplicates or delays.
///
/// A view keyed by a customer that is also fed by many streams is as good as one keyed by its own
/// stream, but dearer: see [`Route`].
#[diagnostic::on_unimplemented(
    note = "a projection has a NAME, the types Input and View, and the functions subscription \
            and project"
)]
pub trait Projection: Send + Sync + 'static {
    /// Names the read model.
    const NAME: &'static str;
    /// Raise it when the views change: the read model is then built anew beside the old one.
    const REVISION: u32 = 1;
    /// The lists that its views appear in, at most [`LISTS_MAX`](crate::limits::LISTS_MAX).
    /// Append to it; the place of a list in it is stored.
    const LISTS: &'static [&'static str] = &[];

    /// What is heard.
    type Input: Clone + Send + Sync + 'static;
    /// What is kept for each key.
    type View: Data;

    /// Whose events are heard.
    fn subscription() -> Subscription<Self::Input>;

    /// Which views an event changes.
    fn route() -> Route<Self::Input> {
        Route::OwnStream
    }

    /// The view of `key` after `event`; `None` removes it.
    fn project(
        key: &str,
        view: Option<Self::View>,
        event: &RecordedEvent<Self::Input>,
    ) -> Option<Self::View>;

    /// The lists that the view of `key` appears in, each at most once.
    fn listed(_key: &str, _view: &Self::View) -> Vec<Listed> {
        Vec::new()
    }
}
