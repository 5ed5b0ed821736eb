use std::env;
use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use skyfold::{App, Error, ErrorKind, Result};
use skyfold_http::Options;
use skyfold_http::process::{Times, exit, start_log};

use super::Lambda;
use crate::Aws;

/// The variable that says which of the app's functions this process is.
const FUNCTION: &str = "SKYFOLD_FUNCTION";

/// The variable that is `true` if state machines watch the transactions of sagas.
const STATE_MACHINES: &str = "SKYFOLD_STATE_MACHINES";

/// The variable that Lambda sets, and nobody else ("Defined runtime environment variables").
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// How long a request may take beside a reader's own wait, which is at most 10 seconds: an HTTP API
/// gives up after 30 ("Quotas for configuring and running an HTTP API").
const REQUEST_MAX: Duration = Duration::from_secs(15);

/// Whether Lambda has started this process.
pub fn is_called() -> bool {
    env::var_os(RUNTIME_API).is_some()
}

/// Answers the calls of Lambda as the function of `app` that `SKYFOLD_FUNCTION` names, on what
/// [`Aws::from_environment`] finds. Ends only when it cannot go on.
pub async fn run(app: App) -> ExitCode {
    // Lambda tells the time of each line.
    start_log(Times::Left);
    exit(serve(app).await)
}

async fn serve(app: App) -> Result<()> {
    let name = env::var(FUNCTION).unwrap_or_default();
    let runtime = app.bind(Aws::from_environment().await?.ports())?;
    let options = Options { timeout: REQUEST_MAX, ..Options::default() };
    let lambda = Lambda::new(runtime, &name, options).map_err(|error| {
        Error::new(error.kind(), format!("{FUNCTION} says what cannot be")).with_source(error)
    })?;
    let lambda = match env::var(STATE_MACHINES).is_ok_and(|value| value == "true") {
        true => lambda.announcing_transactions(),
        false => lambda,
    };
    let answer = |event: LambdaEvent<Box<RawValue>>| {
        let lambda = lambda.clone();
        async move {
            let LambdaEvent { payload, context, .. } = event;
            lambda.answer(&payload, context).await.map_err(|failure| {
                tracing::error!(kind = failure.error_type, error = failure.message, "failed");
                Diagnostic::from(failure)
            })
        }
    };
    lambda_runtime::run(service_fn(answer)).await.map_err(|error| {
        Error::new(ErrorKind::Unavailable, "Lambda does not answer").with_source(error)
    })
}
