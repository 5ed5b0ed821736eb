use std::env;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_data_cosmos::options::ConnectionPoolOptions;
use azure_data_cosmos::{AccountReference, CosmosClient};
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId,
};
use reqwest::Url;
use skyfold::{Error, ErrorKind, Result};

use crate::access::Access;
use crate::clients::Clients;
use crate::lasting::Lasting;

/// How long a token may take to be found: the tools of developers are programs of their own.
const TOKEN_MAX: Duration = Duration::from_secs(10);

/// How long an account may take to say what it is.
const ACCOUNT_MAX: Duration = Duration::from_secs(10);

/// What a token is asked for.
const SCOPE: &str = "https://cosmos.azure.com/.default";

/// The variable that Azure sets where a managed identity can be asked for ("How to use managed
/// identities for App Service and Azure Functions").
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";

/// The variable that says which of several identities of a function it is.
const CLIENT_ID: &str = "AZURE_CLIENT_ID";

impl Clients {
    /// Clients of the accounts of data and of keys at these endpoints, with the credentials of
    /// where this runs: the managed identity of the function, or else those of the tools of a
    /// developer, `az login` or `azd auth login`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if an endpoint is no URL, [`Denied`](ErrorKind::Denied) if
    /// there are no credentials, [`Unavailable`](ErrorKind::Unavailable) if an account does not
    /// answer: all within seconds and with what to do.
    pub async fn from_environment(cosmos: &str, keys: &str) -> Result<Self> {
        let credential = credential()?;
        check(&*credential).await?;
        let credential: Arc<dyn TokenCredential> = Arc::new(Lasting::new(credential));
        let access = Access::Token(credential.clone());
        let (cosmos, keys) =
            tokio::try_join!(client(cosmos, credential.clone()), client(keys, credential.clone()))?;
        Ok(Self { cosmos, keys, http: Self::http()?, topic: access.clone(), queue: access })
    }
}

fn credential() -> Result<Arc<dyn TokenCredential>> {
    let credential: azure_core::Result<Arc<dyn TokenCredential>> =
        match env::var_os(IDENTITY_ENDPOINT).is_some() {
            true => {
                let id = env::var(CLIENT_ID).ok().filter(|id| !id.is_empty());
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: id.map(UserAssignedId::ClientId),
                    ..Default::default()
                };
                ManagedIdentityCredential::new(Some(options)).map(|found| found as _)
            }
            false => DeveloperToolsCredential::new(None).map(|found| found as _),
        };
    credential.map_err(|error| no_credentials().with_source(error))
}

async fn check(credential: &dyn TokenCredential) -> Result<()> {
    match tokio::time::timeout(TOKEN_MAX, credential.get_token(&[SCOPE], None)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(no_credentials().with_source(error)),
        Err(_) => Err(no_credentials()),
    }
}

/// A client of the account at `endpoint`.
async fn client(endpoint: &str, credential: Arc<dyn TokenCredential>) -> Result<CosmosClient> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("{endpoint} is no endpoint of an account of Cosmos DB");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    };
    let url = Url::parse(endpoint).map_err(|error| unusable(error.into()))?;
    // Only TLS says that a server speaks HTTP/2.
    let is_http2_allowed = url.scheme() == "https";
    let account = AccountReference::with_credential(url.into(), credential);
    let pool = ConnectionPoolOptions::builder().with_is_http2_allowed(is_http2_allowed).build();
    let pool = pool.map_err(|error| unusable(error.into()))?;
    let opening = Clients::account(account, pool);
    match tokio::time::timeout(ACCOUNT_MAX, opening).await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(crate::errors::failed(&format!("the account {endpoint}"), error)),
        Err(_) => {
            let message = format!(
                "the account {endpoint} does not answer: look at its address and its firewall"
            );
            Err(Error::new(ErrorKind::Unavailable, message))
        }
    }
}

fn no_credentials() -> Error {
    let message = "there are no credentials: give the function a managed identity, or log in \
                   with `az login`";
    Error::new(ErrorKind::Denied, message)
}
