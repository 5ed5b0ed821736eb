use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use skyfold::{App, Error, ErrorKind, Ports, Result, Runtime};

use crate::arguments::{BuiltIn, Global, Look, Serve};
use crate::background::{Background, BoxFuture, Settle};
use crate::commands::serve::{self, Hosting};
use crate::commands::{
    ask, dead_letters, events, health, manifest, package, privacy, redeliver, replay, revisions,
    sagas, schemas, send, state, verify,
};
use crate::output::{Hints, is_unread};
use crate::{Client, Console, Context, Exit, Format, Output, Program, logs};

/// Runs a command of the app's own, unless its arguments make no sense.
type Handler =
    Box<dyn FnOnce(Context, &ArgMatches) -> Result<BoxFuture<Result<Exit>>, clap::Error> + Send>;

/// The command line of an app: a value that says how the app runs here, and is then run.
pub struct Cli {
    app: App,
    ports: Ports,
    storage: Storage,
    background: Background,
    settle: Option<Settle>,
    commands: Vec<(clap::Command, Handler)>,
    hosting: Hosting,
    schemas: PathBuf,
    programs: Vec<Program>,
}

/// How long the ports keep what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    /// Beyond the process.
    Durable,
    /// As long as the process.
    Ephemeral,
}

/// Why a command ended early.
enum Failure {
    Arguments(clap::Error),
    Met(Error),
}

impl Cli {
    /// The command line of `app` on `ports`, with the commands that every app has.
    pub fn new(app: App, ports: Ports) -> Self {
        Self {
            app,
            ports,
            storage: Storage::Durable,
            background: Background::default(),
            settle: None,
            commands: vec![],
            hosting: Hosting::default(),
            schemas: PathBuf::from("schemas"),
            programs: vec![],
        }
    }

    /// Says that the ports forget everything when the process ends, so that people are told where
    /// to look instead.
    #[must_use]
    pub fn ephemeral(self) -> Self {
        Self { storage: Storage::Ephemeral, ..self }
    }

    /// Runs `work` beside what may record events: it delivers events and takes queued commands,
    /// where no cloud does. It is dropped at the end, and must not end before.
    #[must_use]
    pub fn background<Fut>(self, work: impl FnOnce(Runtime) -> Fut + Send + 'static) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self { background: Background::new(work), ..self }
    }

    /// Tells when the background work has come to rest, for [`Context::settle`].
    #[must_use]
    pub fn settle<Fut>(self, settled: impl Fn(Runtime) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        let settle: Settle = Arc::new(move |runtime| Box::pin(settled(runtime)));
        Self { settle: Some(settle), ..self }
    }

    /// Does `work` once the app is being served: the place for sample data.
    #[must_use]
    pub fn on_start<Fut>(mut self, work: impl FnOnce(Context) -> Fut + Send + 'static) -> Self
    where
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.hosting.on_start = Some(Box::new(|context| Box::pin(work(context))));
        self
    }

    /// Shows `lines` to try once the app is being served. `{url}` becomes its address.
    #[must_use]
    pub fn try_lines<L: Into<String>>(mut self, lines: impl IntoIterator<Item = L>) -> Self {
        self.hosting.lines.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Serves over HTTP with these `options`.
    #[must_use]
    pub fn http(mut self, options: skyfold_http::Options) -> Self {
        self.hosting.options = options;
        self
    }

    /// Says where the app's schemas are locked: in `folder`, if `schemas` is not told another.
    #[must_use]
    pub fn schemas(self, folder: impl Into<PathBuf>) -> Self {
        Self { schemas: folder.into(), ..self }
    }

    /// Adds the app's program for a cloud, which `package` builds.
    #[must_use]
    pub fn program(mut self, program: Program) -> Self {
        self.programs.push(program);
        self
    }

    /// Adds a command of the app's own. Its arguments, and what the help says of it, are those of
    /// `A`.
    #[must_use]
    pub fn command<A, Fut>(
        mut self,
        name: &'static str,
        handler: impl FnOnce(Context, A) -> Fut + Send + 'static,
    ) -> Self
    where
        A: Args,
        Fut: Future<Output = Result<Exit>> + Send + 'static,
    {
        let grammar = A::augment_args(clap::Command::new(name));
        let handler: Handler = Box::new(|context, matches| {
            let arguments = A::from_arg_matches(matches)?;
            Ok(Box::pin(handler(context, arguments)))
        });
        self.commands.push((grammar, handler));
        self
    }

    /// Runs what the arguments of this process say.
    pub async fn run(self) -> ExitCode {
        self.run_with(std::env::args_os(), Console::process()).await.into()
    }

    /// Runs what `arguments` say, the first of which is the program's name, on `console`.
    pub async fn run_with<T: Into<OsString>>(
        self,
        arguments: impl IntoIterator<Item = T>,
        console: Console,
    ) -> Exit {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        // Wrong arguments, too, are told in the form that was asked for.
        let is_json = arguments.iter().any(|argument| argument == "--json");
        let output = |is_json: bool, hints| {
            let format = if is_json { Format::Json } else { Format::Table };
            Output::new(console.clone(), format, hints)
        };
        let parsed = self.grammar().try_get_matches_from(arguments);
        let parsed = parsed.and_then(|parsed| Ok((Global::from_arg_matches(&parsed)?, parsed)));
        let (global, parsed) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return output(is_json, Hints::Shown).report_arguments(&error),
        };
        if console.is_process() {
            logs::start(&global);
        }
        let output = output(global.json, if global.quiet { Hints::Hidden } else { Hints::Shown });
        match self.dispatch(&global, &parsed, output.clone(), console.clone()).await {
            Ok(exit) => exit,
            Err(Failure::Arguments(error)) => output.report_arguments(&error),
            Err(Failure::Met(error)) if is_unread(&error) => Exit::Done,
            Err(Failure::Met(error)) => {
                output.report(&error);
                Exit::from(&error)
            }
        }
    }

    fn grammar(&self) -> clap::Command {
        let grammar = clap::Command::new(self.app.name());
        let grammar = Serve::augment_args(Global::augment_args(grammar));
        let about = format!("The app {}: serve it, or see to one that is served", self.app.name());
        let grammar = BuiltIn::augment_subcommands(grammar).about(about);
        grammar.subcommands(self.commands.iter().map(|(command, _)| command.clone()))
    }

    async fn dispatch(
        mut self,
        global: &Global,
        parsed: &ArgMatches,
        output: Output,
        console: Console,
    ) -> Result<Exit, Failure> {
        let client = client(self.app, self.ports, global.url.as_deref())?;
        let context = Context::new(client, output, console, global.url.clone(), self.settle);
        // The arguments of serve are known without its name as well, but only to it.
        let bare = Serve::from_arg_matches(parsed)?;
        let (name, arguments) = parsed.subcommand().unwrap_or((SERVE, parsed));
        if bare.is_given() && name != SERVE {
            let message = format!("--port, --host and --operations are for serve, not for {name}");
            return Err(Error::new(ErrorKind::Invalid, message).into());
        }
        if self.storage == Storage::Ephemeral
            && ![SERVE, MANIFEST, PACKAGE, SCHEMAS].contains(&name)
        {
            hint_at_the_serving_process(&context);
        }
        let own = self.commands.iter().position(|(known, _)| known.get_name() == name);
        if let Some(at) = own {
            let (_, handler) = self.commands.swap_remove(at);
            let work = handler(context.clone(), arguments)?;
            return Ok(self.background.beside(&context, work).await?);
        }
        let command = match parsed.subcommand() {
            Some(_) => BuiltIn::from_arg_matches(parsed)?,
            None => BuiltIn::Serve(Serve::default()),
        };
        match command {
            BuiltIn::Serve(given) => {
                let served = serve::serve(&context, given.or(bare), self.hosting);
                Ok(self.background.beside(&context, served).await?)
            }
            BuiltIn::Send(arguments) => {
                let sent = send::send(&context, arguments);
                Ok(self.background.beside(&context, sent).await?)
            }
            BuiltIn::Look(command) => {
                Ok(look(&context, command, self.schemas, self.programs).await?)
            }
        }
    }
}

/// A client of `app` where it runs: at `url`, or else here on `ports`.
fn client(app: App, ports: Ports, url: Option<&str>) -> Result<Client> {
    let runtime = app.bind(ports)?;
    match url {
        Some(url) => Client::http(url, runtime.manifest()),
        None => Ok(Client::new(runtime)),
    }
}

/// The command that is meant where none is given.
const SERVE: &str = "serve";

/// The commands that concern no store.
const MANIFEST: &str = "manifest";
const PACKAGE: &str = "package";
const SCHEMAS: &str = "schemas";

/// Runs a command that only looks, and leaves the background work to whoever serves the app.
async fn look(
    context: &Context,
    command: Look,
    locked: PathBuf,
    programs: Vec<Program>,
) -> Result<Exit> {
    match command {
        Look::Events(arguments) => events::events(context, arguments).await,
        Look::State(arguments) => state::state(context, arguments).await,
        Look::Query(arguments) => ask::query(context, arguments).await,
        Look::View(arguments) => ask::view(context, arguments).await,
        Look::List(arguments) => ask::list(context, arguments).await,
        Look::Replay(arguments) => replay::replay(context, arguments).await,
        Look::Redeliver(arguments) => redeliver::redeliver(context, arguments).await,
        Look::Verify(arguments) => verify::verify(context, arguments).await,
        Look::Revisions(arguments) => revisions::revisions(context, arguments).await,
        Look::Switch(arguments) => revisions::switch(context, arguments).await,
        Look::Drop(arguments) => revisions::drop(context, arguments).await,
        Look::Privacy(command) => privacy::privacy(context, command).await,
        Look::DeadLetters(command) => dead_letters::dead_letters(context, command).await,
        Look::Sagas(arguments) => sagas::sagas(context, arguments).await,
        Look::Health => health::health(context).await,
        Look::Manifest => manifest::manifest(context),
        Look::Package(arguments) => package::package(context, arguments, programs).await,
        Look::Schemas(command) => schemas::schemas(context, command, locked),
    }
}

fn hint_at_the_serving_process(context: &Context) {
    if context.base_url().is_none() {
        context.output().hint(
            "the store lives and ends with this process: to ask the one that serves the app, \
             give its address with --url, as in --url http://127.0.0.1:8080",
        );
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Met(error)
    }
}

impl fmt::Debug for Cli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commands: Vec<_> = self.commands.iter().map(|(known, _)| known.get_name()).collect();
        f.debug_struct("Cli")
            .field("app", &self.app)
            .field("storage", &self.storage)
            .field("commands", &commands)
            .finish_non_exhaustive()
    }
}
