use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use tokio::time::Instant;

use crate::tokens::token;

/// How long a newer token is waited for: less than a request waits for a token (`tokens`), which is
/// then still made with the one at hand.
const NEWER_MAX: Duration = Duration::from_secs(3);

/// For how long a token at hand is used after there was no newer one, before that is asked for
/// again.
const PAUSE: Duration = Duration::from_secs(20);

/// A credential whose tokens are used until they end.
///
/// Those of `azure_identity` ask for another token five minutes before, at one service that
/// may not answer for more than a minute, hold back the tokens of every other service
/// meanwhile, and give none if there is no newer one.
#[derive(Debug)]
pub(crate) struct Lasting {
    from: Arc<dyn TokenCredential>,
    held: Mutex<HashMap<String, Held>>,
}

/// The last token for some scopes.
#[derive(Clone, Debug)]
struct Held {
    token: AccessToken,
    /// Until when no newer one is asked for.
    rests: Option<Instant>,
}

impl Lasting {
    /// The same credential as `from`.
    pub(crate) fn new(from: Arc<dyn TokenCredential>) -> Self {
        Self { from, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token at hand for `scopes`, if it is good still and there is no point in asking for
    /// a newer one.
    fn resting(&self, scopes: &str) -> Option<AccessToken> {
        let held = self.held().get(scopes)?.clone();
        let rests = held.rests.is_some_and(|rests| Instant::now() < rests);
        (rests && is_good(&held.token)).then_some(held.token)
    }

    /// The token at hand for `scopes`, if it is good still, now that there is no newer one.
    fn kept(&self, scopes: &str) -> Option<AccessToken> {
        let mut tokens = self.held();
        let held = tokens.get_mut(scopes).filter(|held| is_good(&held.token))?;
        held.rests = Some(Instant::now() + PAUSE);
        Some(held.token.clone())
    }
}

/// Whether a request that is made now with `token` arrives in time.
fn is_good(token: &AccessToken) -> bool {
    OffsetDateTime::now_utc() + Duration::from_secs(10) < token.expires_on
}

#[async_trait]
impl TokenCredential for Lasting {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let names = scopes.join(" ");
        if let Some(token) = self.resting(&names) {
            return Ok(token);
        }
        match token(&*self.from, scopes, options, NEWER_MAX).await {
            Ok(token) => {
                self.held().insert(names, Held { token: token.clone(), rests: None });
                Ok(token)
            }
            Err(error) => {
                let token = self.kept(&names).ok_or(error)?;
                tracing::warn!(scopes = names, "there is no newer token: that at hand is used");
                Ok(token)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use azure_core::error::{Error, ErrorKind};
    use tokio::time::sleep;

    use super::*;
    use crate::access::Access;

    /// Gives what it was told to, one after the other: a token that is good for so many
    /// seconds, or none; and then says nothing at all.
    #[derive(Debug)]
    struct Said(Mutex<VecDeque<Option<i64>>>);

    #[async_trait]
    impl TokenCredential for Said {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            let said = self.0.lock().unwrap().pop_front();
            match said {
                Some(Some(seconds)) => {
                    let end = OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
                    Ok(AccessToken::new(format!("for {seconds}"), end))
                }
                Some(None) => Err(Error::with_message(ErrorKind::Credential, "none")),
                None => std::future::pending().await,
            }
        }
    }

    fn lasting<const N: usize>(said: [Option<i64>; N]) -> Lasting {
        Lasting::new(Arc::new(Said(Mutex::new(said.into()))))
    }

    async fn asked(lasting: &Lasting) -> Option<String> {
        let token = lasting.get_token(&["a"], None).await;
        token.ok().map(|token| token.token.secret().to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_used_to_its_end_while_there_is_no_newer_one() {
        let lasting = lasting([Some(200), None, Some(300)]);
        for _ in 0..3 {
            assert_eq!(asked(&lasting).await.as_deref(), Some("for 200"));
        }
        sleep(PAUSE).await;
        assert_eq!(asked(&lasting).await.as_deref(), Some("for 300"));
        let start = Instant::now();
        assert_eq!(asked(&lasting).await.as_deref(), Some("for 300"));
        assert_eq!(start.elapsed(), NEWER_MAX);
        assert_eq!(asked(&lasting).await.as_deref(), Some("for 300"));
        assert_eq!(start.elapsed(), NEWER_MAX, "nobody waits again so soon");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_token_without_a_good_one_and_nobody_waits_long() {
        let lasting = lasting([None, Some(5), None]);
        assert_eq!(asked(&lasting).await, None);
        assert_eq!(asked(&lasting).await.as_deref(), Some("for 5"));
        assert_eq!(asked(&lasting).await, None, "a request would arrive too late");
        let start = Instant::now();
        assert_eq!(asked(&lasting).await, None);
        assert_eq!(start.elapsed(), NEWER_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waits_for_a_newer_token_is_made_with_the_one_at_hand() {
        let access = Access::Token(Arc::new(lasting([Some(200)])));
        let request = || reqwest::Client::new().get("http://localhost");
        for _ in 0..2 {
            let permitted = access.permit("the queue", "a", request()).await.unwrap();
            let request = permitted.build().unwrap();
            assert_eq!(request.headers()["authorization"], "Bearer for 200");
        }
    }
}
