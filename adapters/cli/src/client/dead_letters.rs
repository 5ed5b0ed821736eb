use skyfold::{DeadLetter, Discard, LetterPage, LetterQuery, Result, Retried};

use super::{Client, Way};

impl Client {
    /// A page of dead letters; see [`DeadLetters::list`](skyfold::DeadLetters::list).
    ///
    /// # Errors
    ///
    /// Those of the app; [`NotFound`](skyfold::ErrorKind::NotFound) where it runs elsewhere and
    /// serves no operators.
    pub async fn dead_letters(&self, query: &LetterQuery) -> Result<LetterPage> {
        match &self.way {
            Way::Http(remote) => remote.dead_letters(query).await,
            Way::Process(runtime) => runtime.dead_letters().list(query).await,
        }
    }

    /// The dead letter `id`.
    ///
    /// # Errors
    ///
    /// As of [`dead_letters`](Self::dead_letters).
    pub async fn dead_letter(&self, id: &str) -> Result<DeadLetter> {
        match &self.way {
            Way::Http(remote) => remote.dead_letter(id).await,
            Way::Process(runtime) => runtime.dead_letters().show(id).await,
        }
    }

    /// Tries again what the letter `id` is about, and shows the letter as it is then.
    ///
    /// # Errors
    ///
    /// As of [`DeadLetters::retry`](skyfold::DeadLetters::retry).
    pub async fn retry_letter(&self, id: &str) -> Result<DeadLetter> {
        match &self.way {
            Way::Http(remote) => remote.retry_letter(id).await,
            Way::Process(runtime) => runtime.dead_letters().retry(id).await,
        }
    }

    /// Tries a page of letters again.
    ///
    /// # Errors
    ///
    /// As of [`DeadLetters::retry_page`](skyfold::DeadLetters::retry_page).
    pub async fn retry_letters(&self, query: &LetterQuery) -> Result<Retried> {
        match &self.way {
            Way::Http(remote) => remote.retry_letters(query).await,
            Way::Process(runtime) => runtime.dead_letters().retry_page(query).await,
        }
    }

    /// Gives up what the letter `id` is about, and shows the letter as it is then.
    ///
    /// # Errors
    ///
    /// As of [`DeadLetters::discard`](skyfold::DeadLetters::discard).
    pub async fn discard_letter(&self, id: &str, discard: &Discard) -> Result<DeadLetter> {
        match &self.way {
            Way::Http(remote) => remote.discard_letter(id, discard).await,
            Way::Process(runtime) => runtime.dead_letters().discard(id, discard).await,
        }
    }
}
