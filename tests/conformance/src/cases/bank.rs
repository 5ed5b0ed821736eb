use std::collections::BTreeSet;
use std::sync::Arc;

use skyfold::{
    Announced, Answer, App, CommandId, CommandRequest, DeadLetter, Decider, Error, Failed,
    ListRequest, Metadata, Payload, Ports, Projection, Receipt, Reply, Result, Runtime, StateAsOf,
    StreamName, Trigger, ViewPage, ViewRequest,
};

use super::world::id;
use crate::domain::{self, Account, Command};
use crate::faults::Shifted;

/// The app of the suite in one process, whose waits take no time.
#[derive(Clone, Debug)]
pub(crate) struct Bank {
    pub(crate) runtime: Runtime,
    pub(crate) clock: Arc<Shifted>,
}

impl Bank {
    pub(crate) fn new(ports: Ports) -> Self {
        Self::of(domain::app(), ports)
    }

    /// Another app, or another release of it.
    pub(crate) fn of(app: App, ports: Ports) -> Self {
        let clock = Shifted::new(ports.clock.clone());
        let runtime = app.bind(Ports { clock: clock.clone(), ..ports }).unwrap();
        Self { runtime, clock }
    }

    /// Gives `command` to the stream `stream` of `D`, under the id `command_id`.
    pub(crate) async fn give<D: Decider>(
        &self,
        stream: &str,
        command_id: &str,
        command: &D::Command,
    ) -> Result<Reply> {
        let trigger = Trigger::Command(request::<D>(stream, command_id, command));
        self.runtime.invoke(D::CATEGORY, trigger).await
    }

    /// Gives `command` to an account.
    pub(crate) async fn send(
        &self,
        account: &str,
        command_id: &str,
        command: &Command,
    ) -> Result<Reply> {
        self.give::<Account>(account, command_id, command).await
    }

    /// The receipt of a command to an account, which accepts it.
    pub(crate) async fn accept(
        &self,
        account: &str,
        command_id: &str,
        command: &Command,
    ) -> Receipt {
        receipt(self.send(account, command_id, command).await.unwrap())
    }

    /// Why an account refuses a command, which it does.
    pub(crate) async fn refuse(
        &self,
        account: &str,
        command_id: &str,
        command: &Command,
    ) -> String {
        match self.send(account, command_id, command).await.unwrap() {
            Reply::Refused(reason) => reason,
            reply => panic!("{command:?} is refused, not {reply:?}"),
        }
    }

    /// The error that a command to an account meets.
    pub(crate) async fn fail(&self, account: &str, command_id: &str, command: &Command) -> Error {
        self.send(account, command_id, command).await.unwrap_err()
    }

    /// Delivers `news` to the projection or saga `function`. Returns what was not handled.
    pub(crate) async fn deliver(&self, function: &str, news: &[Announced]) -> Vec<Failed> {
        match self.runtime.invoke(function, Trigger::Events(news.to_vec())).await.unwrap() {
            Reply::Handled(failed) => failed,
            reply => panic!("{function} handles deliveries, and says {reply:?}"),
        }
    }

    /// Delivers `news`, all of which is handled.
    pub(crate) async fn handle(&self, function: &str, news: &[Announced]) {
        let failed = self.deliver(function, news).await;
        assert!(failed.is_empty(), "{function}: {failed:?}");
    }

    /// Delivers `news` for the last time, as a host does: all of which is handled or set aside.
    /// Returns the letters that wait about its streams, in order of stream.
    pub(crate) async fn set_aside(&self, function: &str, news: &[Announced]) -> Vec<DeadLetter> {
        for Failed { event, error } in self.deliver(function, news).await {
            assert_eq!(error.kind(), skyfold::ErrorKind::Newer, "{function}: {error}");
            self.runtime.dead_letters().give_up(function, &event, &error).await.unwrap();
        }
        let streams: BTreeSet<_> = news.iter().map(Announced::stream).collect();
        let mut letters = vec![];
        for stream in streams {
            letters.extend(self.letter(function, stream).await);
        }
        letters
    }

    /// The letter that waits about `stream` of `function`, if there is one.
    pub(crate) async fn letter(&self, function: &str, stream: &StreamName) -> Option<DeadLetter> {
        let letter = self.runtime.dead_letters().about(function, stream).await.unwrap();
        letter.filter(DeadLetter::is_waiting)
    }

    /// The view of `key`, if there is one.
    pub(crate) async fn view<P: Projection>(&self, key: &str) -> Option<P::View> {
        let request = ViewRequest { key: key.into(), after: None };
        match self.runtime.invoke(P::NAME, Trigger::View(request)).await {
            Ok(reply) => Some(answer(reply).body.decode().unwrap()),
            Err(error) if error.kind() == skyfold::ErrorKind::NotFound => None,
            Err(error) => panic!("{}: {error}", P::NAME),
        }
    }

    /// A page of a list of `P`.
    pub(crate) async fn list<P: Projection>(
        &self,
        request: ListRequest,
    ) -> Result<ViewPage<P::View>> {
        let reply = self.runtime.invoke(P::NAME, Trigger::List(request)).await?;
        answer(reply).body.decode()
    }

    /// The state of the stream `stream` of `function`.
    pub(crate) async fn state(
        &self,
        function: &str,
        stream: &str,
        at: skyfold::AsOf,
    ) -> Result<StateAsOf> {
        match self.runtime.invoke(function, Trigger::State(id(stream), at)).await? {
            Reply::State(state) => Ok(state),
            reply => panic!("{function} tells a state, not {reply:?}"),
        }
    }
}

/// The event that `letter` is about, and the kind of the error.
pub(crate) fn trouble(letter: &DeadLetter) -> (String, &str) {
    (letter.event().expect("it is about an event").to_string(), &letter.kind)
}

/// The request to give `command` to the stream `stream` of `D`.
pub(crate) fn request<D: Decider>(
    stream: &str,
    command_id: &str,
    command: &D::Command,
) -> CommandRequest {
    CommandRequest {
        stream: id(stream),
        id: CommandId::new(command_id).unwrap(),
        command: Payload::encode(command).unwrap(),
        expected: None,
        metadata: Metadata::default(),
    }
}

pub(crate) fn receipt(reply: Reply) -> Receipt {
    match reply {
        Reply::Accepted(receipt) => receipt,
        reply => panic!("the command is accepted, not {reply:?}"),
    }
}

pub(crate) fn answer(reply: Reply) -> Answer {
    match reply {
        Reply::Answer(answer) => answer,
        reply => panic!("the question is answered, not {reply:?}"),
    }
}

/// The stream of the account `account`.
pub(crate) fn account(account: &str) -> StreamName {
    StreamName::new(Account::CATEGORY, &id(account))
}

pub(crate) fn deposit(cents: u64) -> Command {
    Command::Deposit { cents }
}

pub(crate) fn withdraw(cents: u64) -> Command {
    Command::Withdraw { cents }
}

pub(crate) fn open(owner: &str) -> Command {
    Command::Open { owner: owner.into() }
}

pub(crate) fn tag(tags: &[&str]) -> Command {
    Command::Tag { tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
}

pub(crate) fn note(text: &str, times: usize) -> Command {
    Command::Note { text: text.into(), times }
}
