use skyfold::ports::Revision;
use time::OffsetDateTime;

use super::item::millis;

/// What a revision says: the etag of the item, which no two writes share, and when it expires, so
/// that a guard knows without a read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct At {
    pub(super) etag: String,
    /// In milliseconds since 1970.
    pub(super) expires: Option<i64>,
}

impl At {
    pub(super) fn revision(&self) -> Revision {
        let expires = self.expires.map(|expires| format!("@{expires}")).unwrap_or_default();
        Revision(format!("{}{expires}", self.etag))
    }

    /// `None` if no document ever had `revision`.
    pub(super) fn of(Revision(revision): &Revision) -> Option<Self> {
        let (etag, expires) = match revision.rsplit_once('@') {
            Some((etag, expires)) => (etag, Some(expires.parse().ok()?)),
            None => (revision.as_str(), None),
        };
        // Of another form is no etag, and may not even be one of HTTP ("RFC 9110, section 8.8.3").
        let is_etag = etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"');
        (is_etag && etag.is_ascii()).then(|| Self { etag: etag.to_owned(), expires })
    }

    pub(super) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= millis(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_was_written() {
        for expires in [None, Some(-1), Some(9)] {
            let at = At { etag: "\"0000-1\"".to_owned(), expires };
            assert_eq!(At::of(&at.revision()), Some(at));
        }
        for foreign in ["", "made up", "1", "\"1\"@", "@1", "\"", "\"ö\""] {
            assert_eq!(At::of(&Revision(foreign.into())), None, "{foreign}");
        }
    }
}
