use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;

use super::scene::{Scene, sent};
use crate::host::{Callers, Certs};

const AUDIENCE: &str = "https://balances.order.example";
const CALLER: &str = "order-push@order.iam.gserviceaccount.com";

/// A key that somebody signs with.
struct Key {
    kid: String,
    pair: RsaKeyPair,
}

impl Key {
    fn new() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key().as_ref();
        let kid = base64(&digest::digest(&digest::SHA256, public).as_ref()[..8]);
        Self { kid, pair }
    }

    fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        let (n, e) = (base64(n), base64(e));
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": n, "e": e })
    }

    /// A token of these claims, under a header that names this key.
    fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        self.signed(&unsigned(&header, claims))
    }

    fn signed(&self, text: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", base64(&signature))
    }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string()), base64(claims.to_string()))
}

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

/// Where keys are had.
#[derive(Default)]
struct Source {
    keys: Mutex<Vec<Value>>,
    asked: AtomicUsize,
    is_down: AtomicBool,
    is_slow: AtomicBool,
}

impl Source {
    fn of(keys: &[&Key]) -> Arc<Self> {
        let source = Arc::new(Self::default());
        *source.keys.lock().unwrap() = keys.iter().map(|key| key.jwk()).collect();
        source
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    async fn certs(self: &Arc<Self>) -> Certs {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/certs", listener.local_addr().unwrap());
        let router = Router::new().route("/certs", get(keys)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Certs::at(&url).unwrap()
    }

    /// A function that takes deliveries from the caller alone.
    async fn guarded(self: &Arc<Self>, scene: &Scene) -> Router {
        guarded(scene, self.certs().await)
    }
}

fn guarded(scene: &Scene, certs: Certs) -> Router {
    let (audiences, emails) = ([AUDIENCE.to_owned()], vec![CALLER.to_owned()]);
    scene.service_for("sweep", Callers::accounts(certs, &audiences, emails))
}

async fn keys(State(source): State<Arc<Source>>) -> impl IntoResponse {
    source.asked.fetch_add(1, Ordering::Relaxed);
    if source.is_slow.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let status = match source.is_down.load(Ordering::Relaxed) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    };
    let keys = json!({ "keys": *source.keys.lock().unwrap() });
    (status, [(header::CACHE_CONTROL, "public, max-age=19845, must-revalidate")], keys.to_string())
}

/// What a delivery with these headers for its token is answered.
async fn with(service: &Router, values: &[String]) -> StatusCode {
    let mut request = Request::post("/deliveries/sweep");
    for value in values {
        request = request.header("authorization", value);
    }
    sent(service, request.body(Body::empty()).unwrap()).await.0
}

async fn bearing(service: &Router, token: &str) -> StatusCode {
    with(service, &[bearer(token)]).await
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn a_token_of_the_caller_is_taken_and_its_keys_are_had_once() {
    let (scene, key) = (Scene::new(), Key::new());
    let source = Source::of(&[&Key::new(), &key]);
    let service = source.guarded(&scene).await;
    for claims in [claims(), but("iss", "accounts.google.com"), but("aud", json!([AUDIENCE, "x"]))]
    {
        assert_eq!(bearing(&service, &key.token(&claims)).await, StatusCode::OK, "{claims}");
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn no_forged_token_is_taken() {
    let (scene, key, other) = (Scene::new(), Key::new(), Key::new());
    let service = Source::of(&[&key]).guarded(&scene).await;
    let good = key.token(&claims());
    let (text, signature) = good.rsplit_once('.').unwrap();
    let header = |alg: &str| json!({ "alg": alg, "kid": key.kid, "typ": "JWT" });

    let none = unsigned(&header("none"), &claims());
    let by_secret = unsigned(&header("HS256"), &claims());
    let hmac = |secret: &[u8]| {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("{by_secret}.{}", base64(hmac::sign(&secret, by_secret.as_bytes())))
    };
    let public = key.pair.public_key();
    let other_claims =
        unsigned(&header("RS256"), &but("email", "eve@evil.iam.gserviceaccount.com"));
    let borrowed = Key { kid: key.kid.clone(), pair: other.pair };
    let forged = [
        ("no signature", format!("{none}.")),
        ("none, with a signature", format!("{none}.{signature}")),
        ("the public key as a secret", hmac(public.as_ref())),
        ("the same, in DER", hmac(public.as_der().unwrap().as_ref())),
        ("an empty secret", hmac(b"")),
        ("another's key under this name", borrowed.token(&claims())),
        ("other claims under a good signature", format!("{other_claims}.{signature}")),
        ("a signature cut off", format!("{text}.{}", &signature[..signature.len() - 4])),
        ("no key named", key.signed(&unsigned(&json!({ "alg": "RS256" }), &claims()))),
        ("another algorithm named", key.signed(&unsigned(&header("RS512"), &claims()))),
        ("no token", "not.a.token".to_owned()),
        ("nothing", String::new()),
        ("too long", format!("{text}.{}", "A".repeat(9_000))),
    ];
    for (what, token) in forged {
        assert_eq!(bearing(&service, &token).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!(bearing(&service, &good).await, StatusCode::OK);
}

#[tokio::test]
async fn a_token_whose_signature_cloud_run_has_removed_is_refused_with_what_to_do() {
    let (scene, key) = (Scene::new(), Key::new());
    let service = Source::of(&[&key]).guarded(&scene).await;
    let header = json!({ "alg": "RS256", "kid": key.kid, "typ": "JWT" });
    let token = format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", unsigned(&header, &claims()));
    let request = Request::post("/deliveries/sweep").header("authorization", bearer(&token));
    let (status, answer) = sent(&service, request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("disable the check of invokers"), "{detail}");
}

#[tokio::test]
async fn no_token_of_another_purpose_is_taken() {
    let (scene, key) = (Scene::new(), Key::new());
    let service = Source::of(&[&key]).guarded(&scene).await;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let unauthorized = [
        but("aud", "https://another.example"),
        but("aud", Value::Null),
        but("iss", "https://accounts.evil.example"),
        but("iss", Value::Null),
        but("exp", now - 120),
        but("exp", Value::Null),
        but("iat", now + 120),
        but("iat", Value::Null),
        but("nbf", now + 120),
    ];
    for claims in unauthorized {
        let status = bearing(&service, &key.token(&claims)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{claims}");
    }
    let forbidden = [
        but("email", "eve@order.iam.gserviceaccount.com"),
        but("email", format!("x{CALLER}")),
        but("email", ""),
        but("email_verified", false),
    ];
    for claims in forbidden {
        let status = bearing(&service, &key.token(&claims)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{claims}");
    }
}

#[tokio::test]
async fn a_delivery_brings_one_token() {
    let (scene, key) = (Scene::new(), Key::new());
    let service = Source::of(&[&key]).guarded(&scene).await;
    let token = key.token(&claims());
    let good = format!("bearer {token}");
    let basic = format!("Basic {token}");
    for values in [vec![], vec![good.clone(); 2], vec![token], vec![basic]] {
        assert_eq!(with(&service, &values).await, StatusCode::UNAUTHORIZED, "{values:?}");
    }
    assert_eq!(with(&service, &[good]).await, StatusCode::OK);
}

#[tokio::test]
async fn keys_are_not_asked_for_whenever_somebody_names_an_unknown_one() {
    let (scene, key) = (Scene::new(), Key::new());
    let source = Source::of(&[&key]);
    let service = source.guarded(&scene).await;
    assert_eq!(bearing(&service, &key.token(&claims())).await, StatusCode::OK);
    // One key under many names: to make one takes long, and time is what counts here.
    let mut unknown = Key::new();
    for nth in 0..20 {
        unknown.kid = format!("unknown-{nth}");
        let status = bearing(&service, &unknown.token(&claims())).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn without_keys_a_delivery_comes_again() {
    let (scene, key) = (Scene::new(), Key::new());
    let source = Source::of(&[&key]);
    source.is_down.store(true, Ordering::Relaxed);
    let service = source.guarded(&scene).await;
    for _ in 0..3 {
        let status = bearing(&service, &key.token(&claims())).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(source.asked(), 1, "it is asked once in a while");
}

#[tokio::test]
async fn whoever_hangs_up_does_not_take_the_keys_away_from_the_others() {
    let (scene, key) = (Scene::new(), Key::new());
    let source = Source::of(&[&key]);
    source.is_slow.store(true, Ordering::Relaxed);
    let service = source.guarded(&scene).await;
    let token = key.token(&claims());
    let hung_up = tokio::time::timeout(Duration::from_millis(100), bearing(&service, &token));
    assert!(hung_up.await.is_err(), "it hangs up before the keys have come");
    assert_eq!(bearing(&service, &token).await, StatusCode::OK);
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let (scene, old, new) = (Scene::new(), Key::new(), Key::new());
    let source = Source::of(&[&old]);
    let certs = source.certs().await;
    let service = guarded(&scene, certs.clone());
    assert_eq!(bearing(&service, &old.token(&claims())).await, StatusCode::OK);
    *source.keys.lock().unwrap() = vec![new.jwk()];
    certs.pass(Duration::from_secs(11));
    assert_eq!(bearing(&service, &new.token(&claims())).await, StatusCode::OK);
    assert_eq!(bearing(&service, &old.token(&claims())).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_that_were_had_do_for_a_day_while_no_newer_ones_can_be_had() {
    let (scene, key) = (Scene::new(), Key::new());
    let source = Source::of(&[&key]);
    let certs = source.certs().await;
    let service = guarded(&scene, certs.clone());
    assert_eq!(bearing(&service, &key.token(&claims())).await, StatusCode::OK);
    source.is_down.store(true, Ordering::Relaxed);
    certs.pass(Duration::from_secs(20_000));
    assert_eq!(bearing(&service, &key.token(&claims())).await, StatusCode::OK);
    assert_eq!(source.asked(), 2, "they are asked for once they are no longer fresh");
    let status = bearing(&service, &Key::new().token(&claims())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "that key may be new");
    certs.pass(Duration::from_secs(24 * 60 * 60));
    let status = bearing(&service, &key.token(&claims())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
