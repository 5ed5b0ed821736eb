use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;

use crate::privacy::KEY_LIFETIME;
use crate::{StreamId, StreamName};

/// The state of a stream, and about how many bytes it takes.
#[derive(Clone)]
pub(super) struct Warm {
    pub(super) loaded: Arc<dyn Any + Send + Sync>,
    pub(super) bytes: u32,
    /// Whose personal data it holds in the clear.
    pub(super) subjects: Arc<BTreeSet<StreamId>>,
}

/// Has states that hold personal data forgotten soon, used or not.
pub(super) struct Lifetime;

impl Expiry<StreamName, Warm> for Lifetime {
    fn expire_after_create(&self, _: &StreamName, warm: &Warm, _: Instant) -> Option<Duration> {
        (!warm.subjects.is_empty()).then_some(KEY_LIFETIME)
    }

    fn expire_after_update(
        &self,
        stream: &StreamName,
        warm: &Warm,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(stream, warm, now)
    }
}
