use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How long an issuer takes that is slow.
const SLOW: Duration = Duration::from_millis(500);

/// A key that somebody signs tokens with, as those who issue them do.
#[derive(Debug)]
pub struct SigningKey {
    /// What tokens call it.
    pub kid: String,
    pair: RsaKeyPair,
}

impl SigningKey {
    /// A new one, called after itself.
    pub fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("there is randomness");
        let public = pair.public_key().as_ref();
        let kid = base64(&digest::digest(&digest::SHA256, public).as_ref()[..8]);
        Self { kid, pair }
    }

    /// Its public part ("JSON Web Key", RFC 7517).
    pub fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
        let (n, e) = (base64(n), base64(e));
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": n, "e": e })
    }

    /// A token of these claims, under a header that names this key.
    pub fn token(&self, claims: &Value) -> String {
        self.signed(&unsigned(&self.header("RS256"), claims))
    }

    /// What others would show in the place of the token of `claims`, or of `other_claims`, which
    /// they would rather have: each with what was done. Whoever checks tokens refuses all of them.
    pub fn forged(&self, claims: &Value, other_claims: &Value) -> Vec<(&'static str, String)> {
        let good = self.token(claims);
        let (text, signature) = good.rsplit_once('.').expect("a token has three parts");
        let none = unsigned(&self.header("none"), claims);
        let by_secret = unsigned(&self.header("HS256"), claims);
        let hmac = |secret: &[u8]| {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
            format!("{by_secret}.{}", base64(hmac::sign(&secret, by_secret.as_bytes())))
        };
        let public = self.pair.public_key();
        let der = public.as_der().expect("a key has a form");
        let others = unsigned(&self.header("RS256"), other_claims);
        let borrowed = Self { kid: self.kid.clone(), ..Self::generate() };
        vec![
            ("no signature", format!("{none}.")),
            ("none, with a signature", format!("{none}.{signature}")),
            ("the public key as a secret", hmac(public.as_ref())),
            ("the same, in DER", hmac(der.as_ref())),
            ("an empty secret", hmac(b"")),
            ("another's key under this name", borrowed.token(claims)),
            ("other claims under a good signature", format!("{others}.{signature}")),
            ("a signature cut off", format!("{text}.{}", &signature[..signature.len() - 4])),
            ("no key named", self.signed(&unsigned(&json!({ "alg": "RS256" }), claims))),
            ("another algorithm named", self.signed(&unsigned(&self.header("RS512"), claims))),
            ("a key that nobody has", Self::generate().token(claims)),
            ("no token", "not.a.token".to_owned()),
            ("nothing", String::new()),
            ("too long", format!("{text}.{}", "A".repeat(9_000))),
        ]
    }

    fn header(&self, alg: &str) -> Value {
        json!({ "alg": alg, "kid": self.kid, "typ": "JWT" })
    }

    fn signed(&self, text: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature);
        signed.expect("the key signs");
        format!("{text}.{}", base64(&signature))
    }
}

/// A token of `header` and `claims` up to its signature.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string()), base64(claims.to_string()))
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the keys of who issues tokens are had.
#[derive(Debug, Default)]
pub struct Issuer {
    keys: Mutex<Vec<Value>>,
    asked: AtomicUsize,
    is_down: AtomicBool,
    is_slow: AtomicBool,
}

impl Issuer {
    /// One that signs with `keys`.
    pub fn of(keys: &[&SigningKey]) -> Arc<Self> {
        let issuer = Arc::new(Self::default());
        issuer.rotate(keys);
        issuer
    }

    /// Signs with `keys` from now on, and with no other.
    pub fn rotate(&self, keys: &[&SigningKey]) {
        *self.keys() = keys.iter().map(|key| key.jwk()).collect();
    }

    /// Fails from now on.
    pub fn go_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }

    /// Takes half a second from now on.
    pub fn slow_down(&self) {
        self.is_slow.store(true, Ordering::Relaxed);
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Serves the keys for as long as the runtime of the test runs, and says where.
    pub async fn serve(self: &Arc<Self>) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let router = Router::new().route("/certs", get(certs)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/certs")
    }

    fn keys(&self) -> MutexGuard<'_, Vec<Value>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn certs(State(issuer): State<Arc<Issuer>>) -> impl IntoResponse {
    issuer.asked.fetch_add(1, Ordering::Relaxed);
    if issuer.is_slow.load(Ordering::Relaxed) {
        tokio::time::sleep(SLOW).await;
    }
    let status = match issuer.is_down.load(Ordering::Relaxed) {
        true => StatusCode::INTERNAL_SERVER_ERROR,
        false => StatusCode::OK,
    };
    let keys = json!({ "keys": *issuer.keys() });
    (status, [(header::CACHE_CONTROL, "public, max-age=19845, must-revalidate")], keys.to_string())
}
