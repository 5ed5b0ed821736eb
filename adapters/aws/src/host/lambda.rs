use std::fmt;

use axum::Router;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Service as _};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use skyfold::host::{self, Role};
use skyfold::{Result, Runtime};
use skyfold_http::{Options, router};

use super::call::Call;
use super::failure::Failure;
use super::records::Transactions;
use super::{messages, records};

/// One function of Lambda: which of the app's functions it is, a name says.
///
/// - The name of a function of the app: it takes what its trigger brings. The relay takes the
///   stream of the table of events, a projection or saga the queue that a rule of the bus fills;
///   all but these are asked over HTTP.
/// - `api`: it answers all of HTTP.
/// - `commands`: it takes commands from the queue, of every category.
/// - `sweep`: a schedule calls it, and it looks for what the others have missed.
///
/// What is asked over HTTP is answered by every function, as far as its rights go: which function
/// is asked, the routes of the HTTP API say. What fails is named with a type that stays the same,
/// `Skyfold.` and a code, such as `Skyfold.throttled`.
#[derive(Clone)]
pub struct Lambda {
    runtime: Runtime,
    role: Role,
    router: Router,
    transactions: Transactions,
}

impl Lambda {
    /// The function `name` of the app of `runtime`, which answers HTTP with `options`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](skyfold::ErrorKind::NotFound) if there is no such function,
    /// [`Invalid`](skyfold::ErrorKind::Invalid) if the app has one whose name is the host's own.
    pub fn new(runtime: Runtime, name: &str, options: Options) -> Result<Self> {
        let role = Role::of(&runtime.manifest(), name)?;
        let router = router(runtime.clone(), options);
        Ok(Self { runtime, role, router, transactions: Transactions::Untold })
    }

    /// The same, which as the relay also announces that a transaction of a saga has begun: so a
    /// state machine that watches it is started.
    #[must_use]
    pub fn announcing_transactions(self) -> Self {
        Self { transactions: Transactions::Announced, ..self }
    }

    /// Answers one call.
    pub(crate) async fn answer(
        &self,
        payload: &RawValue,
        context: Context,
    ) -> Result<Value, Failure> {
        let Self { runtime, role, transactions, .. } = self;
        let answer = match (Call::of(payload)?, role) {
            (Call::Http(request), _) => return self.http(*request, context).await,
            (Call::Direct(command), _) => return command.run(runtime).await,
            (Call::Records(records), Role::Function(name)) => {
                records::relay(runtime, name, &records, *transactions).await?
            }
            (Call::Watch(watch), Role::Function(name)) => json!(watch.look(runtime, name).await?),
            (Call::Messages(messages), Role::Function(name)) => {
                messages::hear(runtime, name, &messages).await?
            }
            (Call::Messages(messages), Role::Commands) => messages::run(runtime, &messages).await,
            (Call::Schedule, Role::Sweep) => json!(host::sweep(runtime).await?),
            (call, role) => return Err(unfit(&call, role)),
        };
        Ok(answer)
    }

    async fn http(&self, request: LambdaRequest, context: Context) -> Result<Value, Failure> {
        // The library's own way between a request of Lambda and one of HTTP. It is hidden in its
        // documentation, since it is what its `run` is made of, for functions of HTTP alone.
        let answer = Adapter::from(self.router.clone()).call(LambdaEvent::new(request, context));
        let Ok(answer) = answer.await;
        serde_json::to_value(answer)
            .map_err(|error| Failure::invalid(format!("the answer has no JSON: {error}")))
    }
}

fn unfit(call: &Call, role: &Role) -> Failure {
    let what = match call {
        Call::Http(_) => "a request",
        Call::Records(_) => "the stream of a table",
        Call::Messages(_) => "a queue",
        Call::Schedule => "a schedule",
        Call::Direct(_) => "a command",
        Call::Watch(_) => "a question about a transaction",
    };
    Failure::invalid(format!("{what} is nothing that the function {} takes", role.name()))
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda").field("role", &self.role).finish_non_exhaustive()
    }
}
