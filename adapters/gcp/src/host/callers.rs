use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use skyfold_http::deliveries::{Certs, Tokens, Untaken, bearer};

/// Where Google's keys are: the `jwks_uri` of its OpenID configuration ("OpenID Connect").
pub const GOOGLE_CERTS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// Who issues the tokens of service accounts ("Authenticate push subscriptions": the claims of the
/// token).
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

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

#[derive(Debug)]
struct Accounts {
    tokens: Tokens,
    emails: Vec<String>,
}

/// As much of a token's claims as is looked at here.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: bool,
}

impl Callers {
    /// The service accounts `emails`: a delivery of theirs brings an identity token that Google has
    /// issued to one of them, for one of `audiences`, and signed with a key in `certs`
    /// ("Authenticate push subscriptions").
    ///
    /// The service is to be deployed without Cloud Run's own check of who invokes it: that check
    /// takes the signature off the token, and a token without one says nothing here.
    pub fn accounts(certs: Certs, audiences: &[String], emails: Vec<String>) -> Self {
        let tokens = Tokens::new(certs, &ISSUERS.map(str::to_owned), audiences);
        Self(Inner::Accounts(Arc::new(Accounts { tokens, emails })))
    }

    /// Anybody: for emulators, which bring no token. [`run`](super::run) never says so.
    pub fn anybody() -> Self {
        Self(Inner::Anybody)
    }

    /// Lets a request with these `headers` in, or tells why not.
    pub(crate) async fn check(&self, headers: &HeaderMap) -> Result<(), Untaken> {
        match &self.0 {
            Inner::Anybody => Ok(()),
            Inner::Accounts(accounts) => accounts.check(bearer(headers)?).await,
        }
    }
}

impl Accounts {
    async fn check(&self, token: &str) -> Result<(), Untaken> {
        if token.ends_with(REMOVED) {
            let detail = "Cloud Run has removed the signature of the token; disable the check of \
                          invokers for this service, which checks its callers itself";
            return Err(Untaken::new(StatusCode::UNAUTHORIZED, detail));
        }
        let Claims { email, email_verified } = self.tokens.claims(token).await?;
        if !email_verified || !self.emails.contains(&email) {
            let detail = format!("{email:?} may not deliver here");
            return Err(Untaken::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }
}
