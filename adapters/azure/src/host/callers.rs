use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use skyfold::{Error, ErrorKind, Result};
use skyfold_http::deliveries::{Certs, Tokens, Untaken, bearer};
use uuid::Uuid;

/// The application that Event Grid is in every tenant ("Deliver events to Microsoft Entra protected
/// endpoints", `eventGridAppId`).
pub(super) const EVENT_GRID: &str = "4962773b-9cdb-44cf-a8bf-237846a00ab7";

/// Who may deliver.
#[derive(Clone, Debug)]
pub struct Callers(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Anybody,
    Applications(Arc<Applications>),
}

#[derive(Debug)]
struct Applications {
    tokens: Tokens,
    ids: Vec<String>,
}

/// As much of a token's claims as is looked at here: which application it is of, in either version
/// of tokens ("Access token claims reference").
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    azp: String,
}

impl Callers {
    /// The applications `ids`, by their client ids: a delivery of theirs brings a token that the
    /// `tenant` of Microsoft Entra has issued to one of them, for one of `audiences`, and signed
    /// with a key in `certs`, which are those at [`entra_certs`] ("Deliver events to Microsoft
    /// Entra protected endpoints").
    pub fn applications(
        certs: Certs,
        tenant: &str,
        audiences: &[String],
        ids: Vec<String>,
    ) -> Self {
        let tokens = Tokens::new(certs, &issuers(tenant), audiences);
        Self(Inner::Applications(Arc::new(Applications { tokens, ids })))
    }

    /// Anybody: for emulators, which bring no token. [`run`](super::run) never says so.
    pub fn anybody() -> Self {
        Self(Inner::Anybody)
    }

    /// Lets a request with these `headers` in, or tells why not.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Untaken> {
        match &self.0 {
            Inner::Anybody => Ok(()),
            Inner::Applications(applications) => applications.check(bearer(headers)?).await,
        }
    }
}

impl Applications {
    async fn check(&self, token: &str) -> Result<(), Untaken> {
        let Claims { appid, azp } = self.tokens.claims(token).await?;
        let id = if azp.is_empty() { appid } else { azp };
        if !self.ids.contains(&id) {
            let detail = format!("the application {id:?} may not deliver here");
            return Err(Untaken::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }
}

/// Where the keys of `tenant` are, which is named by its id: the `jwks_uri` of its OpenID
/// configuration ("OpenID Connect on the Microsoft identity platform").
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if `tenant` is no id, as its domain is none: tokens name it by
/// its id.
pub fn entra_certs(tenant: &str) -> Result<String> {
    Uuid::try_parse(tenant).map_err(|error| {
        let message = format!("{tenant:?} is not the id of a tenant of Microsoft Entra");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    Ok(format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"))
}

/// Who issues the tokens of `tenant`, those of the first version and of the second ("Access tokens
/// in the Microsoft identity platform").
fn issuers(tenant: &str) -> [String; 2] {
    [
        format!("https://sts.windows.net/{tenant}/"),
        format!("https://login.microsoftonline.com/{tenant}/v2.0"),
    ]
}
