use percent_encoding::percent_decode_str;
use skyfold::Version;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem::Problem;

/// The parameters of a query string, read strictly: each is taken once, and none is left over.
#[derive(Debug)]
pub(crate) struct QueryString(Vec<(String, String)>);

impl QueryString {
    /// The parameters of `query`, names and values decoded.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decode(&text.replace('+', " "), "query string");
            Ok((plain(name)?, plain(value)?))
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// Takes the only value of `name`.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            count => Err(Problem::invalid(format!("the parameter {name} is there {count} times"))),
        }
    }

    /// Takes the only value of `name`, which is true or false; false if there is none.
    pub(crate) fn take_flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let detail = format!("the parameter {name} is {other:?}, not true or false");
                Err(Problem::invalid(detail))
            }
        }
    }

    /// Takes the only value of `name`, which is a time.
    pub(crate) fn take_time(&mut self, name: &str) -> Result<Option<OffsetDateTime>, Problem> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        let detail =
            format!("the parameter {name} is {text:?}, not a time as 2010-12-01T08:26:00Z");
        time_of(&text).map(Some).ok_or_else(|| Problem::invalid(detail))
    }

    /// Takes the only value of `name`, which is a version.
    pub(crate) fn take_version(&mut self, name: &str) -> Result<Option<Version>, Problem> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        let detail = || format!("the parameter {name} is {text:?}, not a version");
        let version = text.parse().map(|version| Some(Version(version)));
        version.map_err(|_| Problem::invalid(detail()))
    }

    /// Takes every value of `name`, in order.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |pair| pair.0 == name).map(|(_, value)| value).collect()
    }

    /// Refuses what was not taken, and names what could have been.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, _)) = self.0.first() else { return Ok(()) };
        let known = match known {
            [] => "none is known here".to_owned(),
            known => format!("known are {}", known.join(", ")),
        };
        Err(Problem::invalid(format!("unknown parameter {name:?}: {known}")))
    }
}

/// The time that a parameter says.
pub(crate) fn time_of(text: &str) -> Option<OffsetDateTime> {
    // In a query string, the plus of an offset means a blank unless it is encoded.
    let offset = text.len().saturating_sub("+00:00".len());
    let text = match text.get(offset..).and_then(|offset| offset.strip_prefix(' ')) {
        Some(hours) => format!("{}+{hours}", &text[..offset]),
        None => text.to_owned(),
    };
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

/// The segments of a path, decoded.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Problem> {
    path.trim_start_matches('/').split('/').map(|segment| decode(segment, "path")).collect()
}

/// Decodes what is percent-encoded. Unlike browsers, this guesses nothing: a key that was not
/// encoded right would be the key of something else.
fn decode(text: &str, part: &str) -> Result<String, Problem> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        if after.len() < 2 || !after.bytes().take(2).all(|b| b.is_ascii_hexdigit()) {
            return Err(Problem::invalid(format!(
                "the {part} has a % that two hexadecimal digits do not follow, in {text:?}: write \
                 a literal % as %25"
            )));
        }
        rest = after;
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let not_text = |_| Problem::invalid(format!("the {part} is not UTF-8 where it says {text:?}"));
    decoded.map(Into::into).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let mut query = QueryString::parse(Some("a+b=gr%C3%B6%C3%9Fe+1%2B1&&c&d=x=y")).unwrap();
        assert_eq!(query.take("a b").unwrap().as_deref(), Some("größe 1+1"));
        assert_eq!(query.take("c").unwrap().as_deref(), Some(""));
        assert_eq!(query.take("d").unwrap().as_deref(), Some("x=y"));
        assert_eq!(query.take("d").unwrap(), None);
        query.finish(&[]).unwrap();
    }

    #[test]
    fn what_is_repeated_or_unknown_is_refused() {
        let mut query = QueryString::parse(Some("a=1&a=2&b=3")).unwrap();
        assert!(query.take("a").unwrap_err().detail.contains("a is there 2 times"));
        let problem = query.finish(&["a", "c"]).unwrap_err();
        assert_eq!(problem.detail, "unknown parameter \"b\": known are a, c");
    }

    #[test]
    fn what_is_not_encoded_right_is_refused_and_not_guessed() {
        for illegal in ["50%", "%zz", "%2", "a%", "%%20", "%é0", "%FF", "%C3%28", "%ED%A0%80"] {
            QueryString::parse(Some(illegal)).unwrap_err();
            segments(&format!("/a/{illegal}/b")).unwrap_err();
        }
        assert_eq!(segments("/a/b%2Fc/%25/%E6%97%A5").unwrap(), ["a", "b/c", "%", "日"]);
    }
}
