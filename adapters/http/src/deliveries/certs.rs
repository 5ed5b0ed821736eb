use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::header::CACHE_CONTROL;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use skyfold::{Error, ErrorKind, Result};
use tokio::sync::Mutex;

/// How long the keys may take to come.
const FETCH_MAX: Duration = Duration::from_secs(3);

/// How many bytes they may have. Two keys of Google have about 1 KB; each of Microsoft's brings a
/// certificate of 1.5 KB as well.
const BYTES_MAX: usize = 64 * 1024;

/// How many keys are kept.
const KEYS_MAX: usize = 32;

/// How long they are fresh, whatever their source says.
const FRESH_MIN: Duration = Duration::from_secs(60);
const FRESH_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long they are good for where no newer ones can be had.
const STALE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait before they are asked for again, whoever names what key.
const PAUSE: Duration = Duration::from_secs(10);

/// Keys by their names.
type Keys = HashMap<String, Arc<DecodingKey>>;

/// The public keys that tokens are signed with, kept for as long as their source says.
#[derive(Clone)]
pub struct Certs(Arc<Inner>);

struct Inner {
    url: String,
    client: reqwest::Client,
    kept: RwLock<Kept>,
    /// Held by whoever asks for them: one at a time does.
    asking: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Kept {
    keys: Keys,
    /// When they came.
    came: Option<Instant>,
    /// For how long they were fresh then.
    fresh: Duration,
    /// When they were last asked for.
    asked: Option<Instant>,
}

impl Certs {
    /// Those at `url`, a JSON Web Key Set (RFC 7517): the `jwks_uri` of who issues the tokens
    /// ("OpenID Connect Discovery 1.0", section 3).
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if TLS cannot be set up here.
    pub fn at(url: &str) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(FETCH_MAX).build().map_err(|error| {
            Error::new(ErrorKind::Invalid, "there is no TLS on this machine").with_source(error)
        })?;
        let (url, kept) = (url.to_owned(), RwLock::default());
        Ok(Self(Arc::new(Inner { url, client, kept, asking: Arc::default() })))
    }

    /// The key `kid`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if that cannot be found out now.
    pub(crate) async fn key(&self, kid: &str) -> Result<Option<Arc<DecodingKey>>> {
        let look = || self.0.kept.read().unwrap_or_else(PoisonError::into_inner).look(kid);
        if let Look::Known(key) = look() {
            return Ok(Some(key));
        }
        let asking = self.0.asking.clone().lock_owned().await;
        // Somebody else may have asked meanwhile.
        let key = match look() {
            Look::Known(key) => return Ok(Some(key)),
            Look::Unknown => return Ok(None),
            Look::Unsure => return Err(unavailable()),
            Look::Ask(key) => key,
        };
        let certs = self.clone();
        // A task of its own: whoever hangs up does not take the answer away from the others.
        let renewing = tokio::spawn(async move {
            let _asking = asking;
            certs.renew().await
        });
        match renewing.await.unwrap_or_else(|_| Err(unavailable())) {
            Ok(keys) => Ok(keys.get(kid).cloned()),
            Err(error) => {
                tracing::warn!(%error, "the keys of tokens cannot be had");
                key.map(Some).ok_or(error)
            }
        }
    }

    /// Asks for the keys, keeps them, and returns them.
    async fn renew(&self) -> Result<Keys> {
        let kept = || self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept().asked = Some(Instant::now());
        let (keys, fresh) = self.fetch().await?;
        let mut kept = kept();
        (kept.keys, kept.fresh, kept.came) = (keys.clone(), fresh, Some(Instant::now()));
        Ok(keys)
    }

    /// The keys, and how long they are fresh.
    async fn fetch(&self) -> Result<(Keys, Duration)> {
        let failed = |error: reqwest::Error| unavailable().with_source(error);
        let request = self.0.client.get(&self.0.url).send().await;
        let mut response = request.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let control = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let fresh = control.and_then(max_age).unwrap_or(FRESH_MIN).clamp(FRESH_MIN, FRESH_MAX);
        let mut body = vec![];
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BYTES_MAX {
                let message = format!("the keys of tokens have more than {BYTES_MAX} bytes");
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            body.extend_from_slice(&chunk);
        }
        let set: JwkSet =
            serde_json::from_slice(&body).map_err(|error| unavailable().with_source(error))?;
        let keys = set.keys.iter().filter_map(signing_key).take(KEYS_MAX).collect();
        Ok((keys, fresh))
    }
}

#[cfg(test)]
impl Certs {
    /// Lets `time` pass for what is kept.
    pub(crate) fn pass(&self, time: Duration) {
        let mut kept = self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = |at: Option<Instant>| at.and_then(|at| at.checked_sub(time));
        (kept.came, kept.asked) = (earlier(kept.came), earlier(kept.asked));
    }
}

impl fmt::Debug for Certs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certs").field("url", &self.0.url).finish_non_exhaustive()
    }
}

/// What is known of a key.
enum Look {
    /// It is this one.
    Known(Arc<DecodingKey>),
    /// There is none.
    Unknown,
    /// Nobody could tell a moment ago.
    Unsure,
    /// It is to be asked for; and until the answer it is this one, if it was lately.
    Ask(Option<Arc<DecodingKey>>),
}

impl Kept {
    fn look(&self, kid: &str) -> Look {
        let age = self.came.map(|came| came.elapsed());
        let is_fresh = age.is_some_and(|age| age < self.fresh);
        let is_good = age.is_some_and(|age| age < self.fresh + STALE_MAX);
        let key = self.keys.get(kid).filter(|_| is_good).cloned();
        let may_ask = self.asked.is_none_or(|asked| asked.elapsed() >= PAUSE);
        match key {
            Some(key) if is_fresh || !may_ask => Look::Known(key),
            key if may_ask => Look::Ask(key),
            _ if is_fresh => Look::Unknown,
            _ => Look::Unsure,
        }
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "the keys of tokens cannot be had now")
}

/// How long an answer is fresh ("HTTP Caching", RFC 9111).
fn max_age(control: &str) -> Option<Duration> {
    let age = control.split(',').find_map(|part| part.trim().strip_prefix("max-age="))?;
    age.parse().ok().map(Duration::from_secs)
}

/// The key `jwk`, if RSA signatures by SHA-256 are checked with it.
fn signing_key(jwk: &Jwk) -> Option<(String, Arc<DecodingKey>)> {
    let common = &jwk.common;
    let is_rs256 = common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256);
    let signs = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
    let is_rsa = matches!(jwk.algorithm, AlgorithmParameters::RSA(_));
    if !(is_rs256 && signs && is_rsa) {
        return None;
    }
    Some((common.key_id.clone()?, Arc::new(DecodingKey::from_jwk(jwk).ok()?)))
}
