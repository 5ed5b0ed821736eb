use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use emulators::{Issuer, SigningKey, unsigned};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::scene::{Scene, sent};
use crate::host::{Callers, Certs};

const AUDIENCE: &str = "https://balances.order.example";
const CALLER: &str = "order-push@order.iam.gserviceaccount.com";

/// What Google says of a service account ("Authenticate push subscriptions").
fn claims() -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({
        "aud": AUDIENCE,
        "azp": "113774264463038321964",
        "email": CALLER,
        "email_verified": true,
        "exp": now + 3600,
        "iat": now,
        "iss": "https://accounts.google.com",
        "sub": "113774264463038321964",
    })
}

/// The same with `name` as `value`.
fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

/// A function that takes deliveries from the caller alone, for whom Google signs with `key`.
async fn guarded(scene: &Scene, key: &SigningKey) -> Router {
    let certs = Certs::at(&Issuer::of(&[key]).serve().await).unwrap();
    let (audiences, emails) = ([AUDIENCE.to_owned()], vec![CALLER.to_owned()]);
    scene.service_for("sweep", Callers::accounts(certs, &audiences, emails))
}

/// What a delivery with this header for its token is answered.
async fn answered(service: &Router, header: Option<String>) -> (StatusCode, Value) {
    let mut request = Request::post("/deliveries/sweep");
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    sent(service, request.body(Body::empty()).unwrap()).await
}

async fn bearing(service: &Router, token: &str) -> StatusCode {
    answered(service, Some(format!("Bearer {token}"))).await.0
}

#[tokio::test]
async fn a_token_of_the_caller_is_taken() {
    let (scene, key) = (Scene::new(), SigningKey::generate());
    let service = guarded(&scene, &key).await;
    for claims in [claims(), but("iss", "accounts.google.com"), but("aud", json!([AUDIENCE, "x"]))]
    {
        assert_eq!(bearing(&service, &key.token(&claims)).await, StatusCode::OK, "{claims}");
    }
    assert_eq!(answered(&service, None).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_forged_token_is_taken() {
    let (scene, key) = (Scene::new(), SigningKey::generate());
    let service = guarded(&scene, &key).await;
    let eve = but("email", "eve@evil.iam.gserviceaccount.com");
    for (what, token) in key.forged(&claims(), &eve) {
        assert_eq!(bearing(&service, &token).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!(bearing(&service, &key.token(&claims())).await, StatusCode::OK);
}

#[tokio::test]
async fn a_token_whose_signature_cloud_run_has_removed_is_refused_with_what_to_do() {
    let (scene, key) = (Scene::new(), SigningKey::generate());
    let service = guarded(&scene, &key).await;
    let header = json!({ "alg": "RS256", "kid": key.kid, "typ": "JWT" });
    let token = format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", unsigned(&header, &claims()));
    let (status, answer) = answered(&service, Some(format!("Bearer {token}"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("disable the check of invokers"), "{detail}");
}

#[tokio::test]
async fn no_token_of_another_purpose_is_taken() {
    let (scene, key) = (Scene::new(), SigningKey::generate());
    let service = guarded(&scene, &key).await;
    for claims in [
        but("aud", "https://another.example"),
        but("iss", "https://accounts.evil.example"),
        but("exp", OffsetDateTime::now_utc().unix_timestamp() - 120),
    ] {
        let status = bearing(&service, &key.token(&claims)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{claims}");
    }
    for claims in [
        but("email", "eve@order.iam.gserviceaccount.com"),
        but("email", format!("x{CALLER}")),
        but("email", ""),
        but("email_verified", false),
    ] {
        let status = bearing(&service, &key.token(&claims)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{claims}");
    }
}
