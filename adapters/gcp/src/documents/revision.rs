use prost_types::Timestamp;
use skyfold::ports::Revision;
use time::OffsetDateTime;

use super::item::millis;

/// What a revision says: when the document was last changed, which no two changes share, and when
/// it expires, so that a guard knows without a read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct At {
    pub(crate) time: Timestamp,
    /// In milliseconds since 1970.
    pub(crate) expires: Option<i64>,
}

impl At {
    pub(crate) fn revision(&self) -> Revision {
        let Timestamp { seconds, nanos } = self.time;
        let expires = self.expires.map(|expires| format!("@{expires}")).unwrap_or_default();
        Revision(format!("{seconds}.{nanos:09}{expires}"))
    }

    /// `None` if no document ever had `revision`.
    pub(crate) fn of(Revision(revision): &Revision) -> Option<Self> {
        let (time, expires) = match revision.split_once('@') {
            Some((time, expires)) => (time, Some(expires.parse().ok()?)),
            None => (revision.as_str(), None),
        };
        let (seconds, nanos) = time.split_once('.')?;
        let (seconds, nanos) = (seconds.parse().ok()?, nanos.parse().ok()?);
        Some(Self { time: Timestamp { seconds, nanos }, expires })
    }

    pub(crate) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= millis(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_was_written() {
        for (nanos, expires) in [(0, None), (120_000, None), (999_999_000, Some(-1)), (7, Some(9))]
        {
            let at = At { time: Timestamp { seconds: 1_291_191_960, nanos }, expires };
            assert_eq!(At::of(&at.revision()), Some(at));
        }
        for foreign in ["", "made up", "1", "1.x", "1.5@", "@1"] {
            assert_eq!(At::of(&Revision(foreign.into())), None, "{foreign}");
        }
    }
}
