use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use skyfold::{Error, ErrorKind, Result};

use crate::fnv::Fnv;

/// `content` as text that only [`open`] of the same `scope` takes, in whatever process: so that a
/// position or a cursor is taken only where it belongs. It keeps out mistakes, not attacks: what it
/// says is only where to read on.
pub(crate) fn close(scope: &[&str], content: &str) -> String {
    format!("{}.{:016x}", URL_SAFE_NO_PAD.encode(content), mark(scope, content))
}

/// What was closed for `scope`.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it was not, or for something else.
pub(crate) fn open(what: &str, scope: &[&str], text: &str) -> Result<String> {
    let foreign = || {
        let message =
            format!("the {what} {text:?} was not made here for {scope:?}: start without one");
        Error::new(ErrorKind::Invalid, message)
    };
    let (content, marked) = text.rsplit_once('.').ok_or_else(foreign)?;
    let content = URL_SAFE_NO_PAD.decode(content).map_err(|_| foreign())?;
    let content = String::from_utf8(content).map_err(|_| foreign())?;
    let is_own = format!("{:016x}", mark(scope, &content)) == marked;
    is_own.then_some(content).ok_or_else(foreign)
}

fn mark(scope: &[&str], content: &str) -> u64 {
    let mut hash = Fnv::new();
    for part in scope.iter().chain(&[content]) {
        // The lengths keep the parts apart.
        hash.write(&(part.len() as u64).to_be_bytes());
        hash.write(part.as_bytes());
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_opens_only_in_its_scope() {
        let text = close(&["a", "b"], "größe\n1");
        assert_eq!(open("cursor", &["a", "b"], &text).unwrap(), "größe\n1");
        open("cursor", &["ab", ""], &text).unwrap_err();
        open("cursor", &["a"], &text).unwrap_err();
        let garbled = text.replace(&text[..1], "B");
        for illegal in ["", ".", "x", &garbled, &text[1..], &format!("{text}0")] {
            let error = open("cursor", &["a", "b"], illegal).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{illegal}");
        }
    }
}
