//! Tokens of Microsoft Entra. No request waits for one longer than it would for its answer.

use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use tokio::time::timeout;

/// How long a request waits for a token.
pub(crate) const TOKEN_MAX: Duration = Duration::from_secs(4);

/// A token of `credential` for `scopes`.
///
/// # Errors
///
/// What the credential says, and if it says nothing for the time `max`.
pub(crate) async fn token(
    credential: &dyn TokenCredential,
    scopes: &[&str],
    options: Option<TokenRequestOptions<'_>>,
    max: Duration,
) -> azure_core::Result<AccessToken> {
    match timeout(max, credential.get_token(scopes, options)).await {
        Ok(given) => given,
        Err(_) => {
            let message = format!("no token within {} seconds", max.as_secs());
            Err(Error::with_message(ErrorKind::Credential, message))
        }
    }
}
