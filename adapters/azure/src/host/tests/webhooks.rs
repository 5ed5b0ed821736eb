use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use emulators::{Issuer, SigningKey};
use serde_json::{Value, json};
use skyfold::ErrorKind;
use time::OffsetDateTime;
use tower::ServiceExt as _;

use super::scene::Scene;
use crate::host::callers::EVENT_GRID;
use crate::host::{Callers, Certs, container, entra_certs};

const AUDIENCE: &str = "api://7b1c1a2e-order";
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const PATH: &str = "/deliveries/balances";

/// What Event Grid is answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

async fn ask(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
}

/// A delivery of `body`, with the headers that are documented, for the first time or a later one.
fn delivery(body: &str, count: u32) -> Request<Body> {
    let form = if body.trim_start().starts_with('[') { "-batch" } else { "" };
    Request::post(PATH)
        .header("content-type", format!("application/cloudevents{form}+json; charset=utf-8"))
        .header("aeg-subscription-name", "BALANCES")
        .header("aeg-delivery-count", count)
        .header("aeg-event-type", "Notification")
        .header("aeg-metadata-version", "1.0")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn deliver(app: &Router, body: &str) -> StatusCode {
    ask(app, delivery(body, 0)).await.status
}

fn batch() -> &'static str {
    include_str!("golden/webhook-batch.json")
}

/// An account with an owner and 5 cents, and the app that shows it.
async fn scene() -> (Scene, Router) {
    let scene = Scene::new();
    scene.give("c-1", json!({ "Open": { "owner": "Ada" } })).await;
    scene.give("c-2", json!({ "Deposit": { "cents": 5 } })).await;
    let app = container(scene.runtime.clone(), Default::default(), Callers::anybody());
    (scene, app)
}

/// What is shown of the account.
async fn shown(app: &Router) -> Value {
    let request = Request::get("/balances/ada").body(Body::empty()).unwrap();
    let Answer { body, .. } = ask(app, request).await;
    json!([body["owner"], body["cents"]])
}

#[tokio::test]
async fn a_view_shows_what_is_delivered_alone_or_with_others_and_believes_none_of_it() {
    let (_scene, app) = scene().await;
    let events: Vec<Value> = serde_json::from_str(batch()).unwrap();
    assert_eq!(deliver(&app, &events[0].to_string()).await, StatusCode::OK);
    assert_eq!(shown(&app).await, json!(["Ada", 5]));
    let (_scene, app) = scene().await;
    for _ in 0..2 {
        assert_eq!(deliver(&app, batch()).await, StatusCode::OK);
        assert_eq!(shown(&app).await, json!(["Ada", 5]));
    }
}

#[tokio::test]
async fn what_cannot_be_handled_comes_again_and_is_never_dropped() {
    let (_scene, app) = scene().await;
    let large = format!("[{}\"\"]", " ".repeat(5 * 1024 * 1024));
    for body in ["", "{", "{}", "[7]", r#"{"id":"nonsense"}"#, r#"{"id":"account-ada@9"}"#, &large]
    {
        let status = deliver(&app, body).await;
        let told = &body[..body.len().min(40)];
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
    }
    // What can be read is handled, whatever comes with it.
    let mut events: Vec<Value> = serde_json::from_str(batch()).unwrap();
    events.push(json!({}));
    let status = deliver(&app, &Value::from(events).to_string()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(shown(&app).await, json!(["Ada", 5]));
}

#[tokio::test]
async fn what_fails_for_no_reason_that_passes_is_a_dead_letter_once_it_came_often_enough() {
    let events: Vec<Value> = serde_json::from_str(batch()).unwrap();
    for (count, status, letters) in
        [(6, StatusCode::SERVICE_UNAVAILABLE, 0), (7, StatusCode::OK, 1)]
    {
        let (scene, app) = scene().await;
        // Of the batch, and of the event by itself.
        scene.fail(2, ErrorKind::Unexpected);
        let delivery = delivery(&events[1].to_string(), count);
        assert_eq!(ask(&app, delivery).await.status, status, "{count}");
        assert_eq!(scene.letters().await, letters, "{count}");
    }
}

#[tokio::test]
async fn requests_are_answered_beside_deliveries() {
    let (_scene, app) = scene().await;
    let command = |body: &'static str| {
        Request::post("/account/bob/open")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(ask(&app, command(r#"{"owner":"Bob"}"#)).await.status, StatusCode::OK);
    for request in [
        Request::get(PATH).body(Body::empty()).unwrap(),
        Request::post("/deliveries/relay").body(Body::empty()).unwrap(),
        Request::post("/deliveries/nobody").body(Body::empty()).unwrap(),
        Request::post("/commands").body(Body::empty()).unwrap(),
    ] {
        let path = request.uri().clone();
        assert_eq!(ask(&app, request).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn event_grid_may_deliver_and_nobody_else() {
    let (_scene, app) = scene().await;
    let ask_for = |origin: Option<&str>| {
        let mut request = Request::options(PATH).header("webhook-request-rate", "120");
        if let Some(origin) = origin {
            request = request.header("webhook-request-origin", origin);
        }
        ask(&app, request.body(Body::empty()).unwrap())
    };
    let Answer { status, headers, .. } = ask_for(Some("eventgrid.azure.net")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["webhook-allowed-origin"], "eventgrid.azure.net");
    assert_eq!(headers["webhook-allowed-rate"], "*");
    for origin in [None, Some("eventemitter.example.com"), Some("")] {
        let Answer { status, headers, .. } = ask_for(origin).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{origin:?}");
        assert!(!headers.contains_key("webhook-allowed-origin"), "{origin:?}");
    }
}

#[tokio::test]
async fn a_subscription_of_the_schema_of_event_grid_hears_its_code() {
    let (_scene, app) = scene().await;
    let validation = |kind: &str, body: &'static str| {
        Request::post(PATH)
            .header("content-type", "application/json; charset=utf-8")
            .header("aeg-event-type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    let golden = include_str!("golden/webhook-validation.json");
    let Answer { status, body, .. } = ask(&app, validation("SubscriptionValidation", golden)).await;
    let code = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6";
    assert_eq!((status, body), (StatusCode::OK, json!({ "validationResponse": code })));
    let deletion = validation("SubscriptionDeletion", golden);
    assert_eq!(ask(&app, deletion).await.status, StatusCode::OK);
    for (kind, body) in [
        ("SubscriptionValidation", "[]"),
        ("SubscriptionValidation", batch()),
        ("Notification", golden),
    ] {
        let status = ask(&app, validation(kind, body)).await.status;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{kind}: {body}");
    }
}

/// What Entra says of Event Grid, in a token of the second version ("Access token claims
/// reference").
fn claims() -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({
        "aud": AUDIENCE,
        "azp": EVENT_GRID,
        "exp": now + 3600,
        "iat": now,
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "nbf": now,
        "oid": "a1b2c3d4-0000-4000-8000-000000000001",
        "tid": TENANT,
        "ver": "2.0",
    })
}

/// The same with `name` as `value`.
fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

/// In a token of the first version.
fn first() -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("azp");
    claims["appid"] = EVENT_GRID.into();
    claims["iss"] = format!("https://sts.windows.net/{TENANT}/").into();
    claims
}

/// The app, which takes what Event Grid delivers, for whom Entra signs with `key`.
async fn guarded(scene: &Scene, issuer: &std::sync::Arc<Issuer>) -> Router {
    let certs = Certs::at(&issuer.serve().await).unwrap();
    let (audiences, ids) = ([AUDIENCE.to_owned()], vec![EVENT_GRID.to_owned()]);
    let callers = Callers::applications(certs, TENANT, &audiences, ids);
    container(scene.runtime.clone(), Default::default(), callers)
}

async fn bearing(app: &Router, token: Option<&str>) -> StatusCode {
    let mut request = delivery(batch(), 0);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    ask(app, request).await.status
}

#[tokio::test]
async fn a_token_of_event_grid_is_taken_in_either_version() {
    let ((scene, _), key) = (scene().await, SigningKey::generate());
    let app = guarded(&scene, &Issuer::of(&[&key])).await;
    for claims in [claims(), first(), but("aud", json!([AUDIENCE, "x"]))] {
        assert_eq!(bearing(&app, Some(&key.token(&claims))).await, StatusCode::OK, "{claims}");
    }
}

#[tokio::test]
async fn whoever_may_not_deliver_finds_nothing_there() {
    let ((scene, _), key) = (scene().await, SigningKey::generate());
    let app = guarded(&scene, &Issuer::of(&[&key])).await;
    assert_eq!(bearing(&app, None).await, StatusCode::NOT_FOUND);
    let handshake = Request::options(PATH).header("webhook-request-origin", "eventgrid.azure.net");
    let handshake = ask(&app, handshake.body(Body::empty()).unwrap()).await.status;
    assert_eq!(handshake, StatusCode::OK, "it permits nothing, and brings no token");
    for (what, token) in key.forged(&claims(), &but("azp", "eve")) {
        assert_eq!(bearing(&app, Some(&token)).await, StatusCode::NOT_FOUND, "{what}");
    }
    let other = "00000000-0000-4000-8000-000000000000";
    for claims in [
        but("aud", "api://another"),
        but("azp", other),
        but("azp", ""),
        but("iss", format!("https://login.microsoftonline.com/{other}/v2.0")),
        but("iss", format!("https://sts.windows.net/{TENANT}")),
        but("exp", OffsetDateTime::now_utc().unix_timestamp() - 120),
    ] {
        let status = bearing(&app, Some(&key.token(&claims))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{claims}");
    }
    assert_eq!(shown(&app).await, json!([null, null]), "none of it was heard");
    assert_eq!(bearing(&app, Some(&key.token(&claims()))).await, StatusCode::OK);
}

#[tokio::test]
async fn a_delivery_comes_again_while_nobody_can_tell_whose_it_is() {
    let ((scene, _), key) = (scene().await, SigningKey::generate());
    let issuer = Issuer::of(&[&key]);
    issuer.go_down();
    let app = guarded(&scene, &issuer).await;
    let status = bearing(&app, Some(&key.token(&claims()))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_tenant_is_named_by_its_id() {
    let url = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
    assert_eq!(entra_certs(TENANT).unwrap(), url);
    for tenant in ["", "common", "order.onmicrosoft.com", "../x"] {
        assert_eq!(entra_certs(tenant).unwrap_err().kind(), ErrorKind::Invalid, "{tenant}");
    }
}
