use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Fnv;
use crate::{Error, ErrorKind, Result};

/// Marks the positions and cursors that a store hands out, so that each is taken only where it
/// belongs. It keeps out mistakes, not attacks: what one says is only where to read on.
#[derive(Clone, Copy, Debug)]
pub struct Seal {
    key: u64,
}

impl Seal {
    /// What is closed under `key` opens under no other: a store that outlives its process takes the
    /// same in all of them.
    pub const fn new(key: u64) -> Self {
        Self { key }
    }

    /// `content` as text that only [`open`](Self::open) of the same `scope` takes.
    pub fn close(&self, scope: &[&str], content: &str) -> String {
        format!("{}.{:016x}", URL_SAFE_NO_PAD.encode(content), self.mark(scope, content))
    }

    /// What was closed for `scope`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if it was made under another key, or for something else.
    pub fn open(&self, what: &str, scope: &[&str], text: &str) -> Result<String> {
        let foreign = || {
            let message =
                format!("the {what} {text:?} was not made here for {scope:?}: start without one");
            Error::new(ErrorKind::Invalid, message)
        };
        let (content, mark) = text.rsplit_once('.').ok_or_else(foreign)?;
        let content = URL_SAFE_NO_PAD.decode(content).map_err(|_| foreign())?;
        let content = String::from_utf8(content).map_err(|_| foreign())?;
        let is_own = format!("{:016x}", self.mark(scope, &content)) == mark;
        is_own.then_some(content).ok_or_else(foreign)
    }

    fn mark(&self, scope: &[&str], content: &str) -> u64 {
        let mut hash = Fnv::new();
        hash.write(&self.key.to_be_bytes());
        for part in scope.iter().chain(&[content]) {
            // The lengths keep the parts apart.
            hash.write(&(part.len() as u64).to_be_bytes());
            hash.write(part.as_bytes());
        }
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_opens_only_here_and_in_its_scope() {
        let (seal, other) = (Seal::new(0), Seal::new(1));
        let text = seal.close(&["a", "b"], "größe\n1");
        assert_eq!(seal.open("cursor", &["a", "b"], &text).unwrap(), "größe\n1");
        seal.open("cursor", &["ab", ""], &text).unwrap_err();
        seal.open("cursor", &["a"], &text).unwrap_err();
        other.open("cursor", &["a", "b"], &text).unwrap_err();
        let garbled = text.replace(&text[..1], "B");
        for illegal in ["", ".", "x", &garbled, &text[1..], &format!("{text}0")] {
            let error = seal.open("cursor", &["a", "b"], illegal).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{illegal}");
        }
    }
}
