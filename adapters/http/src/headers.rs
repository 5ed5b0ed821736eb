//! What is read from the headers of a request.

use axum::http::{HeaderMap, HeaderName, header};
use skyfold::limits::{CORRELATION_CHARS_MAX, TRACEPARENT_CHARS_MAX};
use skyfold::{CommandId, Version};

use crate::problem::Problem;

/// The header that carries the id of a command ("The Idempotency-Key HTTP Header Field",
/// draft-ietf-httpapi-idempotency-key-header).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header that names the business transaction.
pub(crate) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// The header that carries the trace context ("Trace Context", section 3.2).
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The headers of a request, read strictly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Headers<'a>(pub(crate) &'a HeaderMap);

impl<'a> Headers<'a> {
    /// The only value of `name`.
    pub(crate) fn one(self, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
        let mut values = self.0.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Problem::invalid(format!("the header {name} is there more than once")));
        }
        let text = value.to_str().ok().filter(|text| !text.contains('\t'));
        let illegal = || Problem::invalid(format!("the header {name} is not printable ASCII"));
        text.map(|text| Some(text.trim())).ok_or_else(illegal)
    }

    /// The business transaction that the request belongs to.
    pub(crate) fn correlation(self) -> Result<Option<String>, Problem> {
        let Some(value) = self.one(&CORRELATION)? else { return Ok(None) };
        if (1..=CORRELATION_CHARS_MAX).contains(&value.len()) {
            return Ok(Some(value.to_owned()));
        }
        let (bytes, max) = (value.len(), CORRELATION_CHARS_MAX);
        let detail =
            format!("the header {CORRELATION} has 1 to {max} printable characters, not {bytes}");
        Err(Problem::invalid(detail))
    }

    /// The id of the command: a string of structured fields, or the same without quotes.
    pub(crate) fn idempotency_key(self) -> Result<Option<CommandId>, Problem> {
        let Some(value) = self.one(&IDEMPOTENCY_KEY)? else { return Ok(None) };
        let illegal = |why: &str| Problem::invalid(format!("the header {IDEMPOTENCY_KEY}: {why}"));
        let text = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or_else(|| illegal("the quotes do not match"))?,
            None => value.to_owned(),
        };
        CommandId::new(text).map(Some).map_err(|error| illegal(error.message()))
    }

    /// The version that the stream must have for the command to be decided on: that of If-Match,
    /// or none at all if If-None-Match is `*`.
    pub(crate) fn expected(self) -> Result<Option<Version>, Problem> {
        let if_match = self.one(&header::IF_MATCH)?;
        let none_match = self.one(&header::IF_NONE_MATCH)?;
        match (if_match, none_match) {
            (None, None) => Ok(None),
            (Some(tag), None) => version(tag).map(Some),
            (None, Some("*")) => Ok(Some(Version::EMPTY)),
            (None, Some(_)) => Err(Problem::invalid(
                "the header if-none-match of a command is \"*\", which asks for a stream without \
                 events; to ask for a version, send if-match",
            )),
            (Some(_), Some(_)) => {
                Err(Problem::invalid("send either if-match or if-none-match, not both"))
            }
        }
    }
}

/// The rest of a quoted string up to its end, which must be the end of the text.
fn unquote(text: &str) -> Option<String> {
    let mut unquoted = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => unquoted.push(chars.next().filter(|c| "\"\\".contains(*c))?),
            c => unquoted.push(c),
        }
    }
    chars.as_str().is_empty().then_some(unquoted)
}

/// The version that an entity tag names.
fn version(tag: &str) -> Result<Version, Problem> {
    let unquoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    let is_number = !unquoted.is_empty() && unquoted.bytes().all(|b| b.is_ascii_digit());
    match unquoted.parse() {
        Ok(version) if is_number => Ok(Version(version)),
        _ => Err(Problem::invalid(format!(
            "the header if-match is {tag}: expected one version of the stream, as in \"3\", from \
             the etag of a receipt or of the stream's state"
        ))),
    }
}

/// The trace context, if it is one: a broken one is to be ignored ("Trace Context", section 4.3).
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next().and_then(|value| value.to_str().ok())?;
    if values.next().is_some() {
        return None;
    }
    let fields: Vec<_> = value.split('-').collect();
    let [version, trace, parent, flags, ..] = fields[..] else { return None };
    let lengths = [version.len(), trace.len(), parent.len(), flags.len()];
    let is_hex = |field: &str| field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |field: &str| field.bytes().all(|b| b == b'0');
    // A later version may append fields, and is read as far as it is known.
    let fits = version != "00" || value.len() == TRACEPARENT_CHARS_MAX;
    let legal = lengths == [2, 32, 16, 2]
        && fits
        && version != "ff"
        && [version, trace, parent, flags].into_iter().all(is_hex)
        && !is_zero(trace)
        && !is_zero(parent);
    legal.then(|| value[..TRACEPARENT_CHARS_MAX].to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use skyfold::limits::ID_CHARS_MAX;

    use super::*;

    fn with(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn an_idempotency_key_is_taken_with_quotes_and_without() {
        let key = |values: &[&str]| Headers(&with(IDEMPOTENCY_KEY, values)).idempotency_key();
        for (text, id) in
            [("abc", "abc"), ("\"abc\"", "abc"), (r#""a\"b\\c""#, "a\"b\\c"), (" x ", "x")]
        {
            assert_eq!(key(&[text]).unwrap().unwrap().as_str(), id);
        }
        assert_eq!(key(&[]).unwrap(), None);
        let long = "x".repeat(ID_CHARS_MAX + 1);
        for illegal in ["", "\"\"", "\"a", "\"a\";b", r#""a\b""#, "a b", "größe", &long] {
            assert!(key(&[illegal]).is_err(), "{illegal}");
        }
        key(&["a", "b"]).unwrap_err();
    }

    #[test]
    fn a_precondition_is_one_version() {
        let expected = |value: &str| Headers(&with(header::IF_MATCH, &[value])).expected();
        assert_eq!(expected("\"3\"").unwrap(), Some(Version(3)));
        assert_eq!(expected("3").unwrap(), Some(Version(3)));
        assert_eq!(expected("\"0\"").unwrap(), Some(Version::EMPTY));
        for illegal in
            ["W/\"3\"", "*", "\"3\", \"4\"", "\"\"", "", "+3", "-1", "99999999999999999999", "x"]
        {
            assert!(expected(illegal).is_err(), "{illegal}");
        }
        let mut headers = with(header::IF_NONE_MATCH, &["*"]);
        assert_eq!(Headers(&headers).expected().unwrap(), Some(Version::EMPTY));
        headers.insert(header::IF_MATCH, HeaderValue::from_static("3"));
        Headers(&headers).expected().unwrap_err();
        Headers(&with(header::IF_NONE_MATCH, &["\"3\""])).expected().unwrap_err();
    }

    #[test]
    fn a_broken_trace_context_is_ignored() {
        let read = |values: &[&str]| traceparent(&with(TRACEPARENT.parse().unwrap(), values));
        let legal = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(read(&[legal]).as_deref(), Some(legal));
        let later = legal.replacen("00", "01", 1);
        assert_eq!(read(&[&format!("{later}-new")]), Some(later));
        for broken in [
            "",
            "00",
            &legal.to_uppercase(),
            &legal.replacen("00", "ff", 1),
            &format!("{legal}-new"),
            &legal.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &legal.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &legal[..54],
        ] {
            assert_eq!(read(&[broken]), None, "{broken}");
        }
        assert_eq!(read(&[legal, legal]), None);
    }

    #[test]
    fn a_correlation_is_short_and_printable() {
        let read = |value: &str| Headers(&with(CORRELATION, &[value])).correlation();
        assert_eq!(read("basket 7").unwrap().as_deref(), Some("basket 7"));
        for chars in [CORRELATION_CHARS_MAX - 1, CORRELATION_CHARS_MAX] {
            assert_eq!(read(&"x".repeat(chars)).unwrap(), Some("x".repeat(chars)));
        }
        for illegal in ["", "größe", "a\tb", &"x".repeat(CORRELATION_CHARS_MAX + 1)] {
            assert!(read(illegal).is_err(), "{illegal}");
        }
    }
}
