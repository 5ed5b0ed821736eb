use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::functions::{
    CommandFunction, Function, ProjectionFunction, QueryFunction, ReadModels, Rebuildable,
    RelayFunction, SagaFunction,
};
use crate::name::{Dash, check_name};
use crate::revisions::Revisions;
use crate::{
    CommandId, Data, Decider, Descriptor, Error, Manifest, Ports, Projection, Result, Runtime,
    Saga, StreamName,
};

/// What the edge knows of a command that it completes before it is decided on.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The stream that the command is for.
    pub stream: StreamName,
    /// The command's id: the same however often it is tried, and so the idempotency key to give
    /// to a service.
    pub id: CommandId,
    /// The time now.
    pub now: OffsetDateTime,
}

/// Completes a command with what its decision needs from outside.
pub(crate) type EdgeFn<D> = dyn Fn(<D as Decider>::Command, Edge) -> Completed<D> + Send + Sync;
type Completed<D> = Pin<Box<dyn Future<Output = Result<<D as Decider>::Command>> + Send>>;

/// The functions of an application, bound to nothing yet: a value that lists them.
#[derive(Clone)]
pub struct App {
    name: &'static str,
    functions: BTreeMap<String, Arc<dyn Function>>,
    /// What is wrong with it, told when it is bound.
    problem: Option<Arc<str>>,
}

impl App {
    /// An app that relays its events and does nothing else yet.
    pub fn new(name: &'static str) -> Self {
        let app = Self { name, functions: BTreeMap::new(), problem: None };
        app.checked(check_name("the app", name, Dash::Legal)).function(RelayFunction)
    }

    /// Takes the commands of `D`.
    #[must_use]
    pub fn decider<D: Decider>(self) -> Self {
        self.function(CommandFunction::<D>::new(None))
    }

    /// Takes the commands of `D`, each completed by `edge` before it is decided on: the place to
    /// ask a service for what the decision needs, such as a payment gateway for its answer.
    ///
    /// The edge may run more than once for one command, with the same id, and not at all for one
    /// that has taken effect before.
    #[must_use]
    pub fn decider_with_edge<D, Fut>(
        self,
        edge: impl Fn(D::Command, Edge) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        D: Decider,
        Fut: Future<Output = Result<D::Command>> + Send + 'static,
    {
        let edge = move |command, context| Box::pin(edge(command, context)) as Completed<D>;
        self.function(CommandFunction::<D>::new(Some(Arc::new(edge))))
    }

    /// Keeps the views of `P`.
    #[must_use]
    pub fn projection<P: Projection>(self) -> Self {
        let function = ProjectionFunction::<P>::new();
        let namesake = self.functions.get(P::NAME).and_then(|function| function.rebuildable());
        let Some(listed) = namesake.map(Rebuildable::revision).filter(|r| *r != P::REVISION) else {
            return self.function(function);
        };
        // The least revision answers to the bare name, which it had before others came.
        if listed < P::REVISION {
            return self.shared(function.named_by_revision());
        }
        let mut app = self;
        let newer = app.functions.remove(P::NAME);
        let newer = newer.and_then(|newer| Some(newer.rebuildable()?.named_by_revision()));
        newer.into_iter().fold(app, Self::shared).function(function)
    }

    /// Keeps the transactions of `S` going.
    #[must_use]
    pub fn saga<S: Saga>(self) -> Self {
        self.function(SagaFunction::<S>::new())
    }

    /// Answers the question `name`, from read models alone.
    #[must_use]
    pub fn query<Q, A, Fut>(
        self,
        name: &'static str,
        answer: impl Fn(Q, ReadModels) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Q: Data,
        A: Data,
        Fut: Future<Output = Result<A>> + Send + 'static,
    {
        self.function(QueryFunction { name, answer, types: PhantomData })
    }

    fn function(self, function: impl Function + 'static) -> Self {
        self.shared(Arc::new(function))
    }

    fn shared(mut self, function: Arc<dyn Function>) -> Self {
        let descriptor = function.descriptor();
        let checked = function.check(&descriptor);
        let name = descriptor.name;
        if self.functions.insert(name.clone(), function).is_some() {
            return self.checked(Err(Error::invalid(format!("two functions are named {name}"))));
        }
        self.checked(checked)
    }

    /// Remembers the first problem.
    fn checked(mut self, outcome: Result<()>) -> Self {
        if let Err(error) = outcome {
            self.problem.get_or_insert_with(|| error.to_string().into());
        }
        self
    }

    /// The app's name: the `source` of its events.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What there is to deploy, in order of name.
    pub fn manifest(&self) -> Manifest {
        let functions = self.functions.values().map(|function| function.descriptor()).collect();
        Manifest { app: self.name.to_owned(), functions }
    }

    /// What there is to know of the function `name`.
    pub(crate) fn descriptor(&self, name: &str) -> Option<Descriptor> {
        self.functions.get(name).map(|function| function.descriptor())
    }

    /// The app bound to `ports`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if two functions have one name, a name or category
    /// is not legal on every cloud, or a projection's route does not fit its subscription.
    pub fn bind(self, ports: Ports) -> Result<Runtime> {
        match self.problem {
            Some(problem) => Err(Error::invalid(format!("the app {}: {problem}", self.name))),
            None => Ok(Runtime::new(self, ports)),
        }
    }

    /// The read models that are listed in several revisions.
    pub(crate) fn revisions(&self) -> Revisions {
        let functions = self.functions.values();
        Revisions::listed(functions.filter_map(|function| function.rebuildable()))
    }

    pub(crate) fn functions(&self) -> &BTreeMap<String, Arc<dyn Function>> {
        &self.functions
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.functions.keys().collect();
        f.debug_struct("App").field("name", &self.name).field("functions", &functions).finish()
    }
}
