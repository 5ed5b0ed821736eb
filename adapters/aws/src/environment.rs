use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_types::SdkConfig;
use skyfold::{Error, ErrorKind, Result};

use crate::clients::Clients;

/// How long credentials may take to be found. Off AWS, the last place that is asked does not
/// answer.
const CREDENTIALS_MAX: Duration = Duration::from_secs(4);

impl Clients {
    /// Clients with the region and the credentials of where this runs: environment variables, the
    /// profile, the role of the function, container or machine ("Credential provider chain").
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if there is no region, [`Denied`](ErrorKind::Denied) if
    /// there are no credentials, both within seconds and with what to do.
    pub async fn from_environment() -> Result<Self> {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let https = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
        // Where a machine's role is asked for, which takes its time off AWS.
        let config = tokio::time::timeout(CREDENTIALS_MAX, loader.load()).await;
        let config = config.map_err(|_| no_region())?;
        check(&config).await?;
        Ok(Self::new(&config))
    }
}

async fn check(config: &SdkConfig) -> Result<()> {
    if config.region().is_none() {
        return Err(no_region());
    }
    let provider = config.credentials_provider().ok_or_else(no_credentials)?;
    match tokio::time::timeout(CREDENTIALS_MAX, provider.provide_credentials()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(no_credentials().with_source(error)),
        Err(_) => Err(no_credentials()),
    }
}

fn no_region() -> Error {
    Error::new(ErrorKind::Invalid, "there is no region: set AWS_REGION, as in eu-central-1")
}

fn no_credentials() -> Error {
    let message = "there are no credentials: give the function a role, or set AWS_ACCESS_KEY_ID \
                   and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE";
    Error::new(ErrorKind::Denied, message)
}
