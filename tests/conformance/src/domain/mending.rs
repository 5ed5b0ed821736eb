use skyfold::{Effect, Projection, RecordedEvent, Saga, StreamId, Subscription};

use super::account::{Account, Command, Event};
use super::reports::panic_quietly;

/// The notes of each account, all of them: a view that grows until it does not fit any more.
#[derive(Debug)]
pub struct AllNotes;

impl Projection for AllNotes {
    const NAME: &'static str = "notes";
    type Input = Event;
    type View = Vec<String>;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(
        _: &str,
        view: Option<Vec<String>>,
        event: &RecordedEvent<Event>,
    ) -> Option<Vec<String>> {
        let mut notes = view.unwrap_or_default();
        if let Event::Noted { text } = &event.data {
            notes.push(text.clone());
        }
        Some(notes)
    }
}

/// The same read model once somebody has seen that: what the notes begin with.
#[derive(Debug)]
pub struct ShortNotes;

impl Projection for ShortNotes {
    const NAME: &'static str = "notes";
    type Input = Event;
    type View = Vec<String>;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn project(
        key: &str,
        view: Option<Vec<String>>,
        event: &RecordedEvent<Event>,
    ) -> Option<Vec<String>> {
        let mut notes = AllNotes::project(key, view, event)?;
        notes.iter_mut().for_each(|note| *note = note.chars().take(1).collect());
        Some(notes)
    }
}

/// Notes each deposit in its account, and panics at a misfortune.
#[derive(Debug)]
pub struct Nervous;

impl Saga for Nervous {
    const NAME: &'static str = "bookkeeping";
    type Input = Event;
    type State = u64;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        let is_heard = matches!(event.data, Event::Deposited { .. } | Event::Jinxed);
        is_heard.then(|| event.stream.id())
    }

    fn react(heard: &mut u64, event: &RecordedEvent<Event>) -> Vec<Effect> {
        if event.data == Event::Jinxed {
            panic_quietly();
        }
        Calm::react(heard, event)
    }

    fn has_ended(_: &u64) -> bool {
        false
    }
}

/// The same saga once its mistake was found.
#[derive(Debug)]
pub struct Calm;

impl Saga for Calm {
    const NAME: &'static str = "bookkeeping";
    type Input = Event;
    type State = u64;

    fn subscription() -> Subscription<Event> {
        Subscription::of::<Account>()
    }

    fn correlate(event: &RecordedEvent<Event>) -> Option<StreamId> {
        Nervous::correlate(event)
    }

    fn react(heard: &mut u64, event: &RecordedEvent<Event>) -> Vec<Effect> {
        *heard += 1;
        let command = Command::Note { text: event.id().to_string(), times: 1 };
        vec![Effect::send::<Account>(&event.stream.id(), command)]
    }

    fn has_ended(_: &u64) -> bool {
        false
    }
}
