use std::fmt;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use time::OffsetDateTime;

use super::answer::Untaken;
use super::certs::Certs;

/// Who issues the tokens of service accounts ("Authenticate push subscriptions": the claims of the
/// token).
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// How far the clock of who issues and that of this machine may differ, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// How many bytes a token may have. One of a service account has about 1 KB.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What Cloud Run puts in the place of a token's signature where it has checked the token itself
/// ("Authenticating service-to-service", "Troubleshoot Cloud Run issues"). Anybody can write it.
const REMOVED: &str = ".SIGNATURE_REMOVED_BY_GOOGLE";

/// Who may deliver.
#[derive(Clone, Debug)]
pub struct Callers(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Anybody,
    Accounts(Arc<Accounts>),
}

struct Accounts {
    certs: Certs,
    validation: Validation,
    emails: Vec<String>,
}

/// As much of a token's claims as is looked at here; issuer, audience and times are the library's.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: bool,
    iat: i64,
}

impl Callers {
    /// The service accounts `emails`: a delivery of theirs brings an identity token that Google has
    /// issued to one of them, for one of `audiences`, and signed with a key in `certs`
    /// ("Authenticate push subscriptions").
    ///
    /// The service is to be deployed without Cloud Run's own check of who invokes it: that check
    /// takes the signature off the token, and a token without one says nothing here.
    pub fn accounts(certs: Certs, audiences: &[String], emails: Vec<String>) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&ISSUERS);
        validation.set_audience(audiences);
        validation.set_required_spec_claims(&["aud", "exp", "iss"]);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        Self(Inner::Accounts(Arc::new(Accounts { certs, validation, emails })))
    }

    /// Anybody: for emulators, which bring no token. [`run`](super::run) never says so.
    pub fn anybody() -> Self {
        Self(Inner::Anybody)
    }

    /// Lets a request with these `headers` in, or tells why not.
    pub(crate) async fn check(&self, headers: &HeaderMap) -> Result<(), Untaken> {
        match &self.0 {
            Inner::Anybody => Ok(()),
            Inner::Accounts(accounts) => accounts.check(token(headers)?).await,
        }
    }
}

impl Accounts {
    async fn check(&self, token: &str) -> Result<(), Untaken> {
        if token.ends_with(REMOVED) {
            return Err(invalid(
                "Cloud Run has removed its signature; disable the check of invokers for this \
                 service, which checks its callers itself",
            ));
        }
        let header = decode_header(token).map_err(|error| invalid(&error.to_string()))?;
        if header.alg != Algorithm::RS256 {
            return Err(invalid("it is not signed by RS256"));
        }
        let Some(kid) = header.kid else { return Err(invalid("it names no key")) };
        let Some(key) = self.certs.key(&kid).await? else {
            return Err(invalid("it names a key that Google does not have"));
        };
        let decoded = decode::<Claims>(token, &key, &self.validation);
        let claims = decoded.map_err(|error| invalid(&error.to_string()))?.claims;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        if claims.iat > now.saturating_add_unsigned(LEEWAY_SECONDS) {
            return Err(invalid("it is of a time to come"));
        }
        if !claims.email_verified || !self.emails.contains(&claims.email) {
            let detail = format!("{:?} may not deliver here", claims.email);
            return Err(Untaken::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("emails", &self.emails).finish_non_exhaustive()
    }
}

/// The token that a request brings in its one header for that ("The OAuth 2.0 Authorization
/// Framework: Bearer Token Usage", RFC 6750).
fn token(headers: &HeaderMap) -> Result<&str, Untaken> {
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
