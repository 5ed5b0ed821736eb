use std::fmt;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::{Certs, Untaken};

/// How far the clock of who issues and that of this machine may differ, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// How many bytes a token may have. One of a service has 1 to 2 KB.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Which tokens say who somebody is: "JSON Web Tokens" (RFC 7519) that one of some issuers has
/// signed by RS256, for one of some audiences, and for now.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    certs: Certs,
    validation: Validation,
}

/// The claims of a token: issuer, audience and the other times are the library's.
#[derive(Deserialize)]
struct Claims<T> {
    iat: i64,
    #[serde(flatten)]
    others: T,
}

impl Tokens {
    /// Those of `issuers` for `audiences`, signed with a key in `certs`. One without an issuer, an
    /// audience, an end or the time when it was issued is none of them.
    pub fn new(certs: Certs, issuers: &[String], audiences: &[String]) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(issuers);
        validation.set_audience(audiences);
        validation.set_required_spec_claims(&["aud", "exp", "iss"]);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        Self(Arc::new(Inner { certs, validation }))
    }

    /// What `token` claims, once it is known to be one of these.
    ///
    /// # Errors
    ///
    /// Status 401 if it is none of them, and 503 if that cannot be found out now.
    pub async fn claims<T: DeserializeOwned>(&self, token: &str) -> Result<T, Untaken> {
        let header = decode_header(token).map_err(|error| invalid(&error.to_string()))?;
        if header.alg != Algorithm::RS256 {
            return Err(invalid("it is not signed by RS256"));
        }
        let Some(kid) = header.kid else { return Err(invalid("it names no key")) };
        let Some(key) = self.0.certs.key(&kid).await? else {
            return Err(invalid("it names a key that its issuer does not have"));
        };
        let decoded = decode::<Claims<T>>(token, &key, &self.0.validation);
        let claims = decoded.map_err(|error| invalid(&error.to_string()))?.claims;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        if claims.iat > now.saturating_add_unsigned(LEEWAY_SECONDS) {
            return Err(invalid("it is of a time to come"));
        }
        Ok(claims.others)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("certs", &self.0.certs).finish_non_exhaustive()
    }
}

/// The token that a request brings in its one header for that ("The OAuth 2.0 Authorization
/// Framework: Bearer Token Usage", RFC 6750).
///
/// # Errors
///
/// Status 401 if it brings none, or several.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Untaken> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Untaken::new(StatusCode::UNAUTHORIZED, "a delivery brings one token"));
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    token.filter(|token| token.len() <= TOKEN_BYTES_MAX).ok_or_else(|| invalid("it is no token"))
}

fn invalid(why: &str) -> Untaken {
    Untaken::new(StatusCode::UNAUTHORIZED, format!("the token is not valid: {why}"))
}
