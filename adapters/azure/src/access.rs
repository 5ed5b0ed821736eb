use std::fmt;
use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use reqwest::RequestBuilder;
use skyfold::Result;

use crate::errors::without_token;
use crate::tokens::{TOKEN_MAX, token};

/// How requests to Event Grid and Queue Storage show that they are permitted.
#[derive(Clone)]
pub enum Access {
    /// By a shared access signature that is part of the URL, or not at all, as an emulator may
    /// permit.
    Signed,
    /// By the key of a topic of Event Grid ("Authenticate publishing clients using access keys").
    Key(Secret),
    /// By a token of Microsoft Entra, which the credential finds and keeps.
    Token(Arc<dyn TokenCredential>),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signed => "Signed",
            Self::Key(_) => "Key(..)",
            Self::Token(_) => "Token(..)",
        })
    }
}

impl Access {
    /// `request` about `what`, with what permits it for `scope`.
    pub(crate) async fn permit(
        &self,
        what: &str,
        scope: &str,
        request: RequestBuilder,
    ) -> Result<RequestBuilder> {
        match self {
            Self::Signed => Ok(request),
            Self::Key(key) => Ok(request.header("aeg-sas-key", key.secret())),
            Self::Token(credential) => {
                let token = token(&**credential, &[scope], None, TOKEN_MAX).await;
                let token = token.map_err(|error| without_token(what, error))?;
                Ok(request.bearer_auth(token.token.secret()))
            }
        }
    }
}
