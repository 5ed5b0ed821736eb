use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use skyfold::host::{Role, plain_names};
use skyfold::{Error, ErrorKind, Kind, Manifest, Result, Runtime};
use skyfold_http::Options;

use super::invocation::Invocation;
use super::messages::Messages;
use super::triggers::{self, Trigger};
use crate::Azure;

/// The function that takes what the queue of commands has set aside.
const POISON: &str = "poison";

/// How many bytes the host may post at once: an answer of the change feed has at most 4 MB ("Azure
/// Cosmos DB service quotas"), which is encoded as JSON twice.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The app of `runtime`, bound to the ports of `azure`, as the Functions host asks for it: its
/// triggers at `POST /{function}`, where `order-summary.2` is `order_summary__2`
/// ([`plain_name`](skyfold::host::plain_name)), and all else as [`skyfold_http::router`] answers
/// it with `options`.
///
/// | function | trigger | what it does |
/// |---|---|---|
/// | the relay | `cosmosDBTrigger` | announces the commits of the change feed |
/// | a projection or saga | `eventGridTrigger` | handles the events, which it reads itself |
/// | `commands` | `queueTrigger` | runs a command, of whatever category |
/// | `poison` | `queueTrigger` | makes a dead letter of a command that failed too often |
/// | `sweep` | `timerTrigger` | looks for what the others have missed |
///
/// What has failed is answered with status 500, so that the trigger brings it again.
///
/// Nothing in a request tells who posts to a function. Which requests from outside are forwarded,
/// the routes of the functions of HTTP say: none may be `POST` to a path of one part that is the
/// name of one of these functions. So it is in the package that `package` writes.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if the app has a function whose name is the host's own: `api`,
/// `commands`, `sweep` or `poison`, or if two functions would be called the same.
pub fn router(runtime: Runtime, azure: Azure, options: Options) -> Result<Router> {
    routes(runtime, Arc::new(azure), options)
}

/// The same, whose queue holds `messages`.
pub(crate) fn routes(
    runtime: Runtime,
    messages: Arc<dyn Messages>,
    options: Options,
) -> Result<Router> {
    let manifest = runtime.manifest();
    let triggers = triggers(&manifest)?;
    let http = skyfold_http::router(runtime.clone(), options);
    let mut router = Router::new();
    for (name, trigger) in triggers {
        let target =
            Arc::new(Target { trigger, runtime: runtime.clone(), messages: messages.clone() });
        let route = post(invoke).with_state(target).fallback_service(http.clone());
        router = router.route(&format!("/{name}"), route);
    }
    Ok(router.fallback_service(http))
}

/// The functions of the app of `manifest` that triggers other than HTTP call.
fn triggers(manifest: &Manifest) -> Result<Vec<(String, Trigger)>> {
    let plain = plain_names(manifest, &[POISON])?;
    let mut triggers = vec![(POISON.to_owned(), Trigger::Poison)];
    for role in [Role::Commands, Role::Sweep] {
        // The one that says whether the name is free.
        let role = Role::of(manifest, role.name())?;
        let trigger = if role == Role::Sweep { Trigger::Sweep } else { Trigger::Commands };
        triggers.push((role.name().to_owned(), trigger));
    }
    for function in &manifest.functions {
        let (name, plain) = (function.name.clone(), plain[&function.name].clone());
        match function.kind {
            Kind::Relay => triggers.push((plain, Trigger::Relay(name))),
            Kind::Projection | Kind::Saga => triggers.push((plain, Trigger::Events(name))),
            Kind::Command | Kind::Query => {}
        }
    }
    Ok(triggers)
}

/// One function, and what it takes to answer for it.
#[derive(Debug)]
struct Target {
    trigger: Trigger,
    runtime: Runtime,
    messages: Arc<dyn Messages>,
}

async fn invoke(State(target): State<Arc<Target>>, body: Body) -> Response {
    let outcome = target.run(body).await;
    let (status, logs) = match outcome {
        Ok(()) => (StatusCode::OK, vec![]),
        Err(error) => {
            tracing::error!(kind = error.kind().code(), %error, "failed");
            (StatusCode::INTERNAL_SERVER_ERROR, vec![error.to_string()])
        }
    };
    // Whatever happens the host waits for a body of this form ("Response payload").
    let answer = json!({ "Outputs": {}, "Logs": logs, "ReturnValue": null });
    (status, Json(answer)).into_response()
}

impl Target {
    async fn run(&self, body: Body) -> Result<()> {
        let Self { trigger, runtime, messages } = self;
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
            let message = format!("the body breaks off, or has more than {BODY_BYTES_MAX} bytes");
            Error::new(ErrorKind::Oversized, message).with_source(error)
        })?;
        let invocation = Invocation::read(&body)?;
        match trigger {
            Trigger::Relay(name) => triggers::relay(runtime, name, &invocation).await,
            Trigger::Events(name) => triggers::hear(runtime, name, &invocation).await,
            Trigger::Commands => triggers::run(runtime, &**messages, &invocation).await,
            Trigger::Poison => triggers::set_aside(runtime, &**messages, &invocation).await,
            Trigger::Sweep => triggers::sweep(runtime).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(functions: &[(&str, &str)]) -> Result<Vec<(String, Trigger)>> {
        let functions = functions.iter().map(|(name, kind)| json!({ "name": name, "kind": kind }));
        let functions: Vec<_> = functions.collect();
        let manifest = json!({ "app": "example", "functions": functions });
        triggers(&serde_json::from_value(manifest).unwrap())
    }

    #[test]
    fn a_trigger_is_called_as_its_folder_in_the_package() {
        let named = [("visitors.2", "projection"), ("relay", "relay"), ("who-came", "query")];
        let triggers = of(&named).unwrap();
        let has = |name: &str, trigger| triggers.contains(&(name.to_owned(), trigger));
        assert!(has("visitors__2", Trigger::Events("visitors.2".to_owned())), "{triggers:?}");
        assert!(has("relay", Trigger::Relay("relay".to_owned())), "{triggers:?}");
        assert!(has("poison", Trigger::Poison), "{triggers:?}");
        assert!(triggers.iter().all(|(name, _)| !name.starts_with("who")), "{triggers:?}");
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        for taken in [&[("a--b", "saga"), ("a.b", "projection")][..], &[("poison", "query")]] {
            assert_eq!(of(taken).unwrap_err().kind(), ErrorKind::Invalid, "{taken:?}");
        }
        assert_eq!(of(&[("sweep", "query")]).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
