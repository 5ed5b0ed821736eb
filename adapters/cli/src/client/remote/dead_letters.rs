use skyfold::{DeadLetter, Discard, LetterPage, LetterQuery, Payload, Result, Retried};

use super::{Asked, Remote, word};

impl Remote {
    pub(crate) async fn dead_letters(&self, query: &LetterQuery) -> Result<LetterPage> {
        let mut asked = Asked { query: letters(query), ..Asked::of(LETTERS) };
        asked.query.push(("closed", query.closed.to_string()));
        self.answer(asked, None).await
    }

    pub(crate) async fn retry_letters(&self, query: &LetterQuery) -> Result<Retried> {
        let is_all = query.function.is_none() && query.stream.is_none();
        let body = Some(Payload::default());
        let mut asked = Asked { query: letters(query), body, ..Asked::of(LETTERS) };
        asked.query.push(("all", is_all.to_string()));
        self.answer(asked, None).await
    }

    pub(crate) async fn dead_letter(&self, id: &str) -> Result<DeadLetter> {
        let [operations, letters] = LETTERS;
        self.answer(Asked::of([operations, letters, id]), None).await
    }

    pub(crate) async fn retry_letter(&self, id: &str) -> Result<DeadLetter> {
        self.do_to_letter(id, "retry", Payload::default()).await
    }

    pub(crate) async fn discard_letter(&self, id: &str, discard: &Discard) -> Result<DeadLetter> {
        self.do_to_letter(id, "discard", Payload::encode(discard)?).await
    }

    async fn do_to_letter(&self, id: &str, what: &str, body: Payload) -> Result<DeadLetter> {
        let [operations, letters] = LETTERS;
        let asked = Asked::of([operations, letters, id, what]);
        self.answer(Asked { body: Some(body), ..asked }, None).await
    }
}

/// The path of dead letters.
const LETTERS: [&str; 2] = ["operations", "dead-letters"];

/// Which dead letters are meant, as the app is told.
fn letters(query: &LetterQuery) -> Vec<(&'static str, String)> {
    let LetterQuery { function, stream, order, limit, cursor, .. } = query.clone();
    let mut query = vec![("order", word(order)), ("limit", limit.to_string())];
    query.extend(function.map(|function| ("function", function)));
    query.extend(stream.map(|stream| ("stream", stream.to_string())));
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    query
}
