mod dead_letters;
mod events;
mod privacy;
mod read_models;
mod remote;
mod sagas;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use skyfold::{
    After, AsOf, CommandDescriptor, CommandId, CommandRequest, Descriptor, Error, ErrorKind,
    Health, Kind, ListRequest, Manifest, Metadata, Payload, QueryRequest, Receipt, Reply, Result,
    Runtime, SagaInstance, StateAsOf, StreamId, StreamName, Trigger, Version, ViewRequest,
};
use time::OffsetDateTime;

use self::remote::Remote;

/// Gives commands to an app and asks it questions: in this process, or over HTTP where it runs.
/// Both ways mean the same and fail the same.
#[derive(Clone, Debug)]
pub struct Client {
    manifest: Arc<Manifest>,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Process(Box<Runtime>),
    Http(Remote),
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted.
    Accepted(Receipt),
    /// The domain refused it, for this reason.
    Refused(String),
}

impl Client {
    /// A client of the app in this process.
    pub fn new(runtime: Runtime) -> Self {
        Self { manifest: Arc::new(runtime.manifest()), way: Way::Process(Box::new(runtime)) }
    }

    /// A client of the app of `manifest` that runs at `url`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if `url` is not an address of the web.
    pub fn http(url: &str, manifest: Manifest) -> Result<Self> {
        Ok(Self { manifest: Arc::new(manifest), way: Way::Http(Remote::new(url)?) })
    }

    /// What the app consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The app in this process, for what only the stores can tell.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if the app is somewhere else.
    pub fn runtime(&self) -> Result<&Runtime> {
        match &self.way {
            Way::Process(runtime) => Ok(runtime),
            Way::Http(_) => Err(Error::new(
                ErrorKind::Invalid,
                "this works on the stores themselves, which --url does not reach: run it without \
                 --url where they can be reached",
            )),
        }
    }

    /// A new id for a command, by the clock that it will be judged by.
    pub fn fresh_id(&self) -> CommandId {
        CommandId::fresh(self.now())
    }

    /// The time: in this process, by the clock of the app.
    pub fn now(&self) -> OffsetDateTime {
        match &self.way {
            Way::Process(runtime) => runtime.now(),
            Way::Http(_) => OffsetDateTime::now_utc(),
        }
    }

    /// The command `name`, a variant's name or the same as in a path, with these `fields`, in the
    /// form in which it is sent.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) if the category has no such command,
    /// [`Invalid`](ErrorKind::Invalid) if it has no fields and some are given.
    pub fn command(&self, category: &str, name: &str, fields: Option<&Payload>) -> Result<Payload> {
        let command = self.descriptor(category, name)?;
        let empty = Payload::parse("{}")?;
        match (&command.schema, fields) {
            (Some(_), fields) => {
                Payload::encode(&BTreeMap::from([(&command.name, fields.unwrap_or(&empty))]))
            }
            (None, Some(fields)) if *fields != empty && *fields != Payload::default() => {
                let message = format!("the command {name} of {category} has no fields");
                Err(Error::new(ErrorKind::Invalid, message))
            }
            (None, _) => Payload::encode(&command.name),
        }
    }

    /// Gives `command`, in the form of the decider's enum in JSON, to the stream `id` of
    /// `category`. The same `key` is answered with the first outcome, however often it is sent.
    ///
    /// # Errors
    ///
    /// Those of the app. A refusal by the domain is an outcome, not an error.
    pub async fn send(
        &self,
        category: &str,
        id: &StreamId,
        key: CommandId,
        command: Payload,
    ) -> Result<Outcome> {
        let (stream, metadata) = (id.clone(), Metadata::default());
        let request = CommandRequest { stream, id: key, command, expected: None, metadata };
        self.send_request(category, request).await
    }

    /// Gives a command with all that can be said of it to a stream of `category`. It begins a
    /// business transaction named after it, unless it says that it belongs to another.
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send); [`Conflict`](ErrorKind::Conflict) if the stream is not at the
    /// version expected.
    pub async fn send_request(
        &self,
        category: &str,
        mut request: CommandRequest,
    ) -> Result<Outcome> {
        let correlation = &mut request.metadata.correlation;
        correlation.get_or_insert_with(|| request.id.to_string());
        match &self.way {
            Way::Http(remote) => {
                let (name, _) = variant(&request.command)?;
                let path = &self.descriptor(category, &name)?.path;
                remote.send(category, path, request).await
            }
            Way::Process(runtime) => {
                self.function(category, Kind::Command)?;
                match runtime.invoke(category, Trigger::Command(request)).await? {
                    Reply::Accepted(receipt) => Ok(Outcome::Accepted(receipt)),
                    Reply::Refused(reason) => Ok(Outcome::Refused(reason)),
                    reply => Err(unfit(&reply)),
                }
            }
        }
    }

    /// The answer to the question `name`, which shows the event of `after`, if that is given.
    ///
    /// # Errors
    ///
    /// Those of the app; [`Unavailable`](ErrorKind::Unavailable) if it does not show the event in
    /// time.
    pub async fn query(
        &self,
        name: &str,
        params: Payload,
        after: Option<After>,
    ) -> Result<Payload> {
        self.function(name, Kind::Query)?;
        match &self.way {
            Way::Http(remote) => remote.query(name, params, after).await,
            Way::Process(runtime) => {
                let waited = after.clone();
                let trigger = Trigger::Query(QueryRequest { params, after });
                answer(runtime.invoke(name, trigger).await?, waited)
            }
        }
    }

    /// The view of `key` in the read model `name`.
    ///
    /// # Errors
    ///
    /// As of [`query`](Self::query); [`NotFound`](ErrorKind::NotFound) if there is no such view.
    pub async fn view(&self, name: &str, key: &str, after: Option<After>) -> Result<Payload> {
        self.function(name, Kind::Projection)?;
        match &self.way {
            Way::Http(remote) => remote.view(name, key, after).await,
            Way::Process(runtime) => {
                let waited = after.clone();
                let trigger = Trigger::View(ViewRequest { key: key.to_owned(), after });
                answer(runtime.invoke(name, trigger).await?, waited)
            }
        }
    }

    /// A page of a list of the read model `name`: `items`, and where to read on in `next`.
    ///
    /// # Errors
    ///
    /// As of [`query`](Self::query); [`NotFound`](ErrorKind::NotFound) if there is no such list.
    pub async fn list(&self, name: &str, request: ListRequest) -> Result<Payload> {
        self.function(name, Kind::Projection)?;
        match &self.way {
            Way::Http(remote) => remote.list(name, request).await,
            Way::Process(runtime) => {
                let waited = request.after.clone();
                answer(runtime.invoke(name, Trigger::List(request)).await?, waited)
            }
        }
    }

    /// The state of a stream of a decider or, as it is now and in this process, of a saga.
    ///
    /// # Errors
    ///
    /// Those of the app; [`NotFound`](ErrorKind::NotFound) if the stream had no events then, or has
    /// not reached the version.
    pub async fn state(&self, stream: &StreamName, at: AsOf) -> Result<StateAsOf> {
        let function = match stream.saga() {
            Some(saga) => self.function(saga, Kind::Saga)?,
            None => self.function(stream.category(), Kind::Command)?,
        };
        let is_saga = function.kind == Kind::Saga;
        if is_saga && at != AsOf::Now {
            let message = format!("the state of {stream}, a saga, is known as it is now only");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let state = match &self.way {
            Way::Http(remote) if is_saga => {
                return state_of(stream, remote.saga(&function.name, &stream.id()).await?);
            }
            Way::Http(remote) => return remote.state(&function.name, &stream.id(), at).await,
            Way::Process(runtime) => {
                match runtime.invoke(&function.name, Trigger::State(stream.id(), at)).await? {
                    Reply::State(state) => state,
                    reply => return Err(unfit(&reply)),
                }
            }
        };
        if state.version == Version::EMPTY && !matches!(at, AsOf::Version(_)) {
            let message = match at {
                AsOf::Time(_) => format!("{stream} had no events at that time"),
                _ => format!("{stream} has no events"),
            };
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        Ok(state)
    }

    /// How far projections and sagas are behind the head of the store.
    ///
    /// # Errors
    ///
    /// Those of the app: one that cannot reach its store is not healthy.
    pub async fn health(&self) -> Result<Health> {
        match &self.way {
            Way::Http(remote) => remote.health().await,
            Way::Process(runtime) => runtime.health().await,
        }
    }

    /// The command `name` of `category`, a variant's name or the same as in a path.
    fn descriptor(&self, category: &str, name: &str) -> Result<&CommandDescriptor> {
        let commands = &self.function(category, Kind::Command)?.commands;
        let found = commands.iter().find(|command| command.name == name || command.path == name);
        found.ok_or_else(|| {
            let known: Vec<_> = commands.iter().map(|command| &*command.path).collect();
            let message =
                format!("{category} has no command {name:?}; it has {}", known.join(", "));
            Error::new(ErrorKind::NotFound, message)
        })
    }

    /// The function `name` of `kind`.
    fn function(&self, name: &str, kind: Kind) -> Result<&Descriptor> {
        let found = self.manifest.function(name).filter(|function| function.kind == kind);
        found.ok_or_else(|| {
            let known: Vec<_> = self.manifest.of(kind).map(|known| &*known.name).collect();
            let (app, what) = (&self.manifest.app, what(kind));
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            let message = format!("{app} has no {what} {name:?}; it has {known}");
            Error::new(ErrorKind::NotFound, message)
        })
    }
}

/// What is known of the transaction whose records are in `stream`, in the form of a state.
fn state_of(stream: &StreamName, instance: SagaInstance) -> Result<StateAsOf> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        has_ended: bool,
        state: Payload,
    }
    let SagaInstance { has_ended, version, time, state, .. } = instance;
    let state = Payload::encode(&Told { has_ended, state })?;
    Ok(StateAsOf { stream: stream.clone(), version, time, state, forgotten: 0 })
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Command => "category",
        Kind::Query => "query",
        Kind::Projection => "read model",
        Kind::Saga => "saga",
        Kind::Relay => "relay",
    }
}

fn answer(reply: Reply, after: Option<After>) -> Result<Payload> {
    match reply {
        Reply::Answer(answer) => Ok(answer.body),
        Reply::Pending => Err(pending(after.as_ref())),
        reply => Err(unfit(&reply)),
    }
}

/// The views did not show in time what they were to show.
fn pending(after: Option<&After>) -> Error {
    let event = after.map_or_else(String::new, |after| after.event.to_string());
    Error::new(ErrorKind::Unavailable, format!("the views do not show {event} yet: ask again"))
}

fn unfit(reply: &Reply) -> Error {
    Error::new(ErrorKind::Unexpected, format!("the app gave another kind of reply: {reply:?}"))
}

/// The name of the variant that `command` is, and its fields, if it has any.
fn variant(command: &Payload) -> Result<(String, Option<Payload>)> {
    if let Ok(name) = command.decode::<String>() {
        return Ok((name, None));
    }
    let variants: Option<BTreeMap<String, Payload>> = command.decode().ok();
    let mut variants = variants.unwrap_or_default().into_iter();
    match (variants.next(), variants.next()) {
        (Some((name, fields)), None) => Ok((name, Some(fields))),
        _ => {
            let message = "a command is an enum in JSON: {\"Place\":{…}}, or \"Close\"";
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}
