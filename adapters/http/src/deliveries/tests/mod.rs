use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use emulators::{Issuer, SigningKey};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Certs, Tokens, Untaken, bearer};

const AUDIENCE: &str = "https://balances.order.example";
const ISSUER: &str = "https://issuer.example";

fn claims() -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    json!({ "aud": AUDIENCE, "exp": now + 3600, "iat": now, "iss": ISSUER, "name": "ada" })
}

/// The same with `name` as `value`.
fn but(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn of(certs: &Certs) -> Tokens {
    Tokens::new(certs.clone(), &[ISSUER.to_owned()], &[AUDIENCE.to_owned()])
}

/// Tokens of `issuer`, and where its keys are kept.
async fn tokens(issuer: &Arc<Issuer>) -> (Tokens, Certs) {
    let certs = Certs::at(&issuer.serve().await).unwrap();
    (of(&certs), certs)
}

/// What becomes of a token.
async fn status(tokens: &Tokens, token: &str) -> StatusCode {
    let claims: Result<Map<String, Value>, Untaken> = tokens.claims(token).await;
    match claims {
        Ok(claims) => {
            assert_eq!(claims["name"], "ada");
            StatusCode::OK
        }
        Err(untaken) => untaken.status(),
    }
}

#[tokio::test]
async fn a_token_says_who_it_is_and_its_keys_are_had_once() {
    let key = SigningKey::generate();
    let issuer = Issuer::of(&[&SigningKey::generate(), &key]);
    let (tokens, _) = tokens(&issuer).await;
    for claims in [claims(), but("aud", json!([AUDIENCE, "another"]))] {
        assert_eq!(status(&tokens, &key.token(&claims)).await, StatusCode::OK, "{claims}");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn no_forged_token_says_anything() {
    let key = SigningKey::generate();
    let (tokens, _) = tokens(&Issuer::of(&[&key])).await;
    for (what, token) in key.forged(&claims(), &but("name", "eve")) {
        assert_eq!(status(&tokens, &token).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert_eq!(status(&tokens, &key.token(&claims())).await, StatusCode::OK);
}

#[tokio::test]
async fn no_token_of_another_purpose_says_anything() {
    let key = SigningKey::generate();
    let (tokens, _) = tokens(&Issuer::of(&[&key])).await;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    for claims in [
        but("aud", "https://another.example"),
        but("aud", Value::Null),
        but("iss", "https://issuer.evil.example"),
        but("iss", Value::Null),
        but("exp", now - 120),
        but("exp", Value::Null),
        but("iat", now + 120),
        but("iat", Value::Null),
        but("nbf", now + 120),
    ] {
        let status = status(&tokens, &key.token(&claims)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{claims}");
    }
}

#[test]
fn a_delivery_brings_one_token() {
    let taken = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers).map(str::to_owned).map_err(|untaken| untaken.status())
    };
    for values in [&[][..], &["Bearer t", "Bearer t"], &["t"], &["Basic t"]] {
        assert_eq!(taken(values), Err(StatusCode::UNAUTHORIZED), "{values:?}");
    }
    for value in ["Bearer t", "bearer t"] {
        assert_eq!(taken(&[value]).as_deref(), Ok("t"));
    }
    assert_eq!(taken(&[&format!("Bearer {}", "t".repeat(9_000))]), Err(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn keys_are_not_asked_for_whenever_somebody_names_an_unknown_one() {
    let key = SigningKey::generate();
    let issuer = Issuer::of(&[&key]);
    let (tokens, _) = tokens(&issuer).await;
    assert_eq!(status(&tokens, &key.token(&claims())).await, StatusCode::OK);
    // One key under many names: to make one takes long, and time is what counts here.
    let mut unknown = SigningKey::generate();
    for nth in 0..20 {
        unknown.kid = format!("unknown-{nth}");
        let status = status(&tokens, &unknown.token(&claims())).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let key = SigningKey::generate();
    let issuer = Issuer::of(&[&key]);
    issuer.go_down();
    let (tokens, _) = tokens(&issuer).await;
    for _ in 0..3 {
        let status = status(&tokens, &key.token(&claims())).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(issuer.asked(), 1, "it is asked once in a while");
}

#[tokio::test]
async fn whoever_hangs_up_does_not_take_the_keys_away_from_the_others() {
    let key = SigningKey::generate();
    let issuer = Issuer::of(&[&key]);
    issuer.slow_down();
    let (tokens, _) = tokens(&issuer).await;
    let token = key.token(&claims());
    let hung_up = tokio::time::timeout(Duration::from_millis(100), status(&tokens, &token));
    assert!(hung_up.await.is_err(), "it hangs up before the keys have come");
    assert_eq!(status(&tokens, &token).await, StatusCode::OK);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let (old, new) = (SigningKey::generate(), SigningKey::generate());
    let issuer = Issuer::of(&[&old]);
    let (tokens, certs) = tokens(&issuer).await;
    assert_eq!(status(&tokens, &old.token(&claims())).await, StatusCode::OK);
    issuer.rotate(&[&new]);
    certs.pass(Duration::from_secs(11));
    assert_eq!(status(&tokens, &new.token(&claims())).await, StatusCode::OK);
    assert_eq!(status(&tokens, &old.token(&claims())).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_that_were_had_do_for_a_day_while_no_newer_ones_can_be_had() {
    let key = SigningKey::generate();
    let issuer = Issuer::of(&[&key]);
    let (tokens, certs) = tokens(&issuer).await;
    assert_eq!(status(&tokens, &key.token(&claims())).await, StatusCode::OK);
    issuer.go_down();
    certs.pass(Duration::from_secs(20_000));
    assert_eq!(status(&tokens, &key.token(&claims())).await, StatusCode::OK);
    assert_eq!(issuer.asked(), 2, "they are asked for once they are no longer fresh");
    let unknown = SigningKey::generate().token(&claims());
    let unsure = status(&tokens, &unknown).await;
    assert_eq!(unsure, StatusCode::SERVICE_UNAVAILABLE, "that key may be new");
    certs.pass(Duration::from_secs(24 * 60 * 60));
    let stale = status(&tokens, &key.token(&claims())).await;
    assert_eq!(stale, StatusCode::SERVICE_UNAVAILABLE);
}
