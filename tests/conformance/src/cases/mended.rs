//! Every kind of poison from its delivery to the release that mends it: it is set aside, listed and
//! shown, tried in vain, and tried again.

use skyfold::{
    Announced, App, DeadLetter, Failed, LetterEvent, LetterQuery, LetterStatus, Projection,
};

use super::bank::{account, deposit, note};
use super::world::{event, stream};
use super::{Bank, Case, Mailbox, World, cases};
use crate::domain::{
    Account, AllNotes, Calm, Command, Fragile, LaterAccount, LaterFragile, Mended, Nervous,
    ShortNotes,
};

pub(super) const CASES: &[Case] = cases![
    events_that_could_not_be_read_are_handled_once_a_release_reads_them,
    a_projection_that_panicked_goes_on_once_it_is_mended,
    a_view_that_did_not_fit_goes_on_once_it_is_smaller,
    a_saga_that_panicked_goes_on_once_it_is_mended,
];

/// The name of the function whose stream waits, and the two releases of the app.
struct Patient<'a> {
    function: &'a str,
    old: &'a Bank,
    later: &'a Bank,
}

impl Patient<'_> {
    /// Delivers `news` of the account `bad`, which the old release gives up at `version`, as a host
    /// does that has tried often enough.
    async fn falls_ill(&self, news: &[Announced], version: u64) -> DeadLetter {
        for Failed { event, error } in self.old.deliver(self.function, news).await {
            let letters = self.old.runtime.dead_letters();
            letters.give_up(self.function, &event, &error).await.unwrap();
        }
        let letter = self.old.letter(self.function, &account("bad")).await.expect("it waits");
        assert_eq!(letter.event().unwrap().version.0, version, "{letter:?}");
        letter
    }

    /// The letter is listed and shown, the old release tries it in vain, and the later one ends it.
    async fn recovers(&self, world: &World, letter: &DeadLetter) {
        let letters = self.old.runtime.dead_letters();
        let function = Some(self.function.to_owned());
        let query = LetterQuery { function, ..LetterQuery::default() };
        let listed = async || {
            let page = letters.list(&query).await.unwrap();
            page.items.contains(letter).then_some(())
        };
        world.eventually("the letter", listed).await;
        assert_eq!(letters.show(&letter.id).await.unwrap(), *letter);
        let in_vain = letters.retry(&letter.id).await.unwrap();
        assert!(in_vain.is_waiting(), "{in_vain:?}");
        assert_eq!((in_vain.event(), in_vain.attempts), (letter.event(), letter.attempts + 1));

        let mended = self.later.runtime.dead_letters().retry(&letter.id).await.unwrap();
        assert_eq!(mended.status, LetterStatus::Resolved, "{mended:?}");
        let last = &mended.history.last().unwrap().what;
        assert!(matches!(last, LetterEvent::Resolved { .. }), "{mended:?}");
        let gone = async || letters.list(&query).await.unwrap().items.is_empty().then_some(());
        world.eventually("that none waits", gone).await;
        assert_eq!(self.later.runtime.dead_letters().retry(&letter.id).await.unwrap(), mended);
    }
}

fn release<P: Projection>(world: &World) -> Bank {
    let app = App::new("bank").decider::<Account>().projection::<P>();
    Bank::of(app, world.ports.clone())
}

async fn events_that_could_not_be_read_are_handled_once_a_release_reads_them(world: World) {
    for (event_type, schema, data) in [
        // A type that the release does not know, a schema of the future, and data that only the
        // step to a later schema can read.
        ("Frozen", 1, "null"),
        ("Noted", 2, r#"{"pages":1}"#),
        ("Noted", 1, r#"{"title":"x"}"#),
    ] {
        let world = world.another().await;
        let paid = |id| world.commit_of(id, vec![event("Deposited", 2, r#"{"cents":1}"#)]);
        let poison = world.commit_of("b", vec![event(event_type, schema, data)]);
        world.fill(&account("bad"), &[paid("a"), poison, paid("c")]).await;
        let later = App::new("bank").decider::<LaterAccount>().projection::<LaterFragile>();
        let later = Bank::of(later, world.ports.clone());
        let (function, old) = ("fragile", release::<Fragile>(&world));
        let patient = Patient { function, old: &old, later: &later };
        let letter = patient.falls_ill(&world.news(&account("bad")).await, 2).await;
        patient.recovers(&world, &letter).await;
        let view = later.view::<LaterFragile>("bad").await.unwrap();
        assert_eq!(view, [1, 2, 3], "{event_type} {schema}");
    }
}

async fn a_projection_that_panicked_goes_on_once_it_is_mended(world: World) {
    let (old, later) = (release::<Fragile>(&world), release::<Mended>(&world));
    for (id, command) in [("a", deposit(1)), ("b", Command::Jinx), ("c", deposit(1))] {
        old.accept("bad", id, &command).await;
    }
    let patient = Patient { function: "fragile", old: &old, later: &later };
    let letter = patient.falls_ill(&world.news(&account("bad")).await, 2).await;
    assert_eq!(letter.kind, "corrupt");
    patient.recovers(&world, &letter).await;
    assert_eq!(later.view::<Mended>("bad").await.unwrap(), [1, 2, 3]);
}

async fn a_view_that_did_not_fit_goes_on_once_it_is_smaller(world: World) {
    let (old, later) = (release::<AllNotes>(&world), release::<ShortNotes>(&world));
    for (id, letter) in [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")] {
        old.accept("bad", id, &note(&letter.repeat(100_000), 1)).await;
        old.accept("good", id, &note(letter, 1)).await;
    }
    let patient = Patient { function: "notes", old: &old, later: &later };
    let letter = patient.falls_ill(&world.news(&account("bad")).await, 3).await;
    assert_eq!(letter.kind, "too-large");
    old.handle("notes", &world.news(&account("good")).await).await;
    assert_eq!(old.view::<AllNotes>("good").await.unwrap(), ["a", "b", "c", "d"]);
    patient.recovers(&world, &letter).await;
    assert_eq!(later.view::<ShortNotes>("bad").await.unwrap(), ["a", "b", "c", "d"]);
}

async fn a_saga_that_panicked_goes_on_once_it_is_mended(world: World) {
    let mailbox = Mailbox::default();
    let app = || App::new("bank").decider::<Account>();
    let old = Bank::of(app().saga::<Nervous>(), mailbox.on(&world.ports));
    let later = Bank::of(app().saga::<Calm>(), mailbox.on(&world.ports));
    for (id, command) in [("a", deposit(1)), ("b", Command::Jinx), ("c", deposit(1))] {
        old.accept("bad", id, &command).await;
    }
    old.accept("good", "a", &deposit(1)).await;
    let patient = Patient { function: "bookkeeping", old: &old, later: &later };
    let letter = patient.falls_ill(&world.news(&account("bad")).await, 2).await;
    assert_eq!(letter.kind, "corrupt");
    old.handle("bookkeeping", &world.news(&account("good")).await).await;
    let asked = || {
        let of = |command: &skyfold::ports::QueuedCommand| command.request.command.to_string();
        mailbox.commands().iter().map(of).collect::<Vec<_>>()
    };
    let noted = |event: &str| format!(r#"{{"Note":{{"text":"{event}","times":1}}}}"#);
    assert_eq!(asked(), [noted("account-bad@1"), noted("account-good@1")]);
    patient.recovers(&world, &letter).await;
    assert_eq!(asked()[2..], [noted("account-bad@2"), noted("account-bad@3")], "in their order");
    assert_eq!(world.events(&stream("saga.bookkeeping-bad")).await.len(), 3);
}
