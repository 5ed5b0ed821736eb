use skyfold::{ForgetRequest, Forgotten, ForgottenPage, Result};

use super::{Client, Way};

impl Client {
    /// Forgets a subject of personal data; see [`Privacy::forget`](skyfold::Privacy::forget).
    ///
    /// # Errors
    ///
    /// Those of the app; [`NotFound`](skyfold::ErrorKind::NotFound) where it runs elsewhere and
    /// serves no operators.
    pub async fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        match &self.way {
            Way::Http(remote) => remote.forget(request).await,
            Way::Process(runtime) => runtime.privacy().forget(request).await,
        }
    }

    /// A page of those who were forgotten, newest first.
    ///
    /// # Errors
    ///
    /// As of [`forget`](Self::forget).
    pub async fn forgotten(&self, limit: usize, cursor: Option<String>) -> Result<ForgottenPage> {
        match &self.way {
            Way::Http(remote) => remote.forgotten(limit, cursor).await,
            Way::Process(runtime) => runtime.privacy().receipts(limit, cursor).await,
        }
    }
}
