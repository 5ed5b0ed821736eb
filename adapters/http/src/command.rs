use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Extension, Json};
use skyfold::{
    CommandDescriptor, CommandId, CommandRequest, Error, ErrorKind, Metadata, Payload, Reply,
    StreamId, Trigger,
};
use tracing::Span;

use crate::body::read_json;
use crate::frame::{Begun, Ids, no_panic};
use crate::headers::{Headers, IDEMPOTENCY_KEY};
use crate::problem::Problem;
use crate::problem_types::{CONFLICT, NOT_FOUND, PRECONDITION_FAILED, REFUSED};
use crate::query_string::{QueryString, segments};
use crate::router::{Endpoint, unfit};

/// The path of the commands of one category.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    let path = format!("/{}/{{id}}/{{command}}", endpoint.function.name);
    Router::new().route(&path, post(take)).with_state(endpoint)
}

/// Takes a command. Whatever comes of it, even a panic, the answer says under which id.
async fn take(
    State(endpoint): State<Endpoint>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let key = Headers(request.headers()).idempotency_key()?;
    let id = key.unwrap_or_else(|| CommandId::fresh(endpoint.host.runtime.now()));
    let correlation = ids.correlation.clone().unwrap_or_else(|| id.to_string());
    Span::current().record("correlation", &correlation);
    let metadata = Metadata {
        correlation: Some(correlation.clone()),
        causation: None,
        traceparent: ids.traceparent,
    };
    let answer = no_panic(invoke(&endpoint, request, id.clone(), metadata)).await.flatten();
    let mut response = answer.into_response();
    let id = HeaderValue::from_str(id.as_str()).expect("a command id is printable ASCII");
    response.headers_mut().insert(IDEMPOTENCY_KEY, id);
    response.extensions_mut().insert(Begun(correlation));
    Ok(response)
}

async fn invoke(
    endpoint: &Endpoint,
    request: Request,
    id: CommandId,
    metadata: Metadata,
) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let segments = segments(parts.uri.path())?;
    let [_, stream, path] = &segments[..] else { return Err(no_command(endpoint, "")) };
    let found = endpoint.function.commands.iter().find(|command| command.path == *path);
    let descriptor = found.ok_or_else(|| no_command(endpoint, path))?;
    if descriptor.is_internal {
        let message = format!("{path} is given by the app itself, and by no caller");
        return Err(Error::new(ErrorKind::Denied, message).into());
    }
    let stream = StreamId::new(stream)?;
    QueryString::parse(parts.uri.query())?.finish(&[])?;
    let expected = Headers(&parts.headers).expected()?;
    let body = read_json(&parts.headers, body, &endpoint.host.options).await?;
    let (command, offset) = encode(descriptor, body.as_ref())?;
    let request = CommandRequest { stream, id, command, expected, metadata };
    let reply = endpoint.invoke(Trigger::Command(request), std::time::Duration::ZERO).await;
    match reply {
        Ok(Reply::Accepted(receipt)) => {
            let tag = format!("\"{}\"", receipt.version);
            Ok(([(header::ETAG, tag)], Json(receipt)).into_response())
        }
        Ok(Reply::Refused(reason)) => Err(Problem::new(&REFUSED, reason)),
        Ok(reply) => Err(unfit(&endpoint.function.name, &reply)),
        Err(problem) if *problem.of == CONFLICT && expected.is_some() => {
            Err(problem.with_type(&PRECONDITION_FAILED))
        }
        Err(problem) => Err(relocated(problem, offset)),
    }
}

fn no_command(endpoint: &Endpoint, path: &str) -> Problem {
    let commands = endpoint.function.commands.iter().filter(|command| !command.is_internal);
    let paths: Vec<_> = commands.map(|command| command.path.as_str()).collect();
    let (category, known) = (&endpoint.function.name, paths.join(", "));
    Problem::new(&NOT_FOUND, format!("{category} has no command {path:?}, only {known}"))
}

/// The command in the default form of serde's enums, and at which column its body begins there.
fn encode(
    command: &CommandDescriptor,
    body: Option<&Payload>,
) -> Result<(Payload, usize), Problem> {
    let name = Payload::encode(&command.name)?;
    if command.schema.is_some() {
        // What has only optional fields may be given without any.
        let (name, body) = (name.get(), body.map_or("{}", Payload::get));
        return Ok((Payload::parse(&format!("{{{name}:{body}}}"))?, name.len() + 2));
    }
    match body.map(Payload::get).unwrap_or_default() {
        "" | "null" => Ok((name, 0)),
        object if is_empty_object(object) => Ok((name, 0)),
        _ => {
            let path = &command.path;
            Err(Problem::invalid(format!("{path} has no fields: send no body, or {{}}")))
        }
    }
}

fn is_empty_object(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

/// The same problem, whose place in the JSON is told as the caller has written it.
fn relocated(problem: Problem, offset: usize) -> Problem {
    let cause = problem.cause().and_then(std::error::Error::source);
    let Some(json) = cause.and_then(|cause| cause.downcast_ref::<serde_json::Error>()) else {
        return problem;
    };
    let (line, column) = (json.line(), json.column());
    let Some(detail) = problem.detail.strip_suffix(&format!(" at line {line} column {column}"))
    else {
        return problem;
    };
    let column = if line == 1 { column.saturating_sub(offset) } else { column };
    let detail = format!("{detail} at line {line} column {column}");
    problem.with_detail(detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(schema: Option<serde_json::Value>) -> CommandDescriptor {
        CommandDescriptor {
            name: "WriteOff".into(),
            path: "write-off".into(),
            schema,
            is_internal: false,
        }
    }

    fn encoded(schema: Option<serde_json::Value>, body: &str) -> Result<String, Problem> {
        let body = Payload::parse(body).ok();
        encode(&command(schema), body.as_ref()).map(|(payload, _)| payload.get().to_owned())
    }

    #[test]
    fn a_command_is_an_enum_as_serde_writes_it() {
        let schema = || Some(json!({ "type": "object" }));
        assert_eq!(encoded(schema(), "{\"a\":1}").unwrap(), "{\"WriteOff\":{\"a\":1}}");
        assert_eq!(encoded(schema(), "3").unwrap(), "{\"WriteOff\":3}");
        assert_eq!(encoded(schema(), "").unwrap(), "{\"WriteOff\":{}}");
        for empty in ["", "{}", "{ \n }", "null"] {
            assert_eq!(encoded(None, empty).unwrap(), "\"WriteOff\"");
        }
        for full in ["{\"a\":1}", "[]", "0", "\"\"", "false"] {
            assert!(encoded(None, full).is_err(), "{full}");
        }
    }

    #[test]
    fn a_mistake_is_told_where_the_caller_has_made_it() {
        let told = |body: &str| {
            let body = Payload::parse(body).unwrap();
            let (payload, offset) = encode(&command(Some(json!({}))), Some(&body)).unwrap();
            let wanted = serde_json::from_str::<std::collections::BTreeMap<String, Vec<u32>>>;
            let error = wanted(payload.get()).unwrap_err();
            let error = Error::new(ErrorKind::Invalid, "not a command").with_source(error);
            relocated(error.into(), offset).detail
        };
        assert!(told("[1, true]").ends_with(" at line 1 column 8"), "{}", told("[1, true]"));
        assert!(told("[1,\n true]").ends_with(" at line 2 column 5"), "{}", told("[1,\n true]"));
    }
}
