use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use crate::limits::BATCH_SUBJECTS_MAX;
use crate::ports::{Clock, KeyStore, Keyring, Ports, SubjectKey};
use crate::privacy::cipher::{self, Bond};
use crate::privacy::mark::{self, At, Mark};
use crate::{Error, ErrorKind, Payload, Result, StreamId};

/// How long a process goes by the keys that it has read: for so long after a subject was forgotten
/// elsewhere, it may still show its data. The process that forgets shows them no more at once.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_secs(30);

/// Of how many subjects a process keeps the keys at hand.
const SUBJECTS_CACHED_MAX: usize = 1_000;

/// How often keys are asked for that another value turned out to need.
const ROUNDS_MAX: usize = 8;

/// Payloads, each with the name of the place that it is kept in or sent to. The name holds no line
/// break.
pub(crate) type Placed<'a> = Vec<(String, &'a mut Payload)>;

/// What becomes of a value that is to be sealed and is so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnSealed {
    /// It is let through: it comes from where it is kept, and was not opened on the way.
    Keep,
    /// It is refused: nobody but a forger has a sealed value to store.
    Refuse,
}

/// Seals and opens the personal data of payloads, with the keys of their subjects.
pub(crate) struct Vault {
    keys: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    rings: HashMap<StreamId, (OffsetDateTime, Keyring)>,
    /// How many subjects were forgotten here: what was read before the last of them is not kept.
    forgotten: u64,
}

type Rings = BTreeMap<StreamId, Keyring>;

impl Vault {
    /// One with nothing at hand, on the keys and the clock of `ports`.
    pub(crate) fn new(ports: &Ports) -> Self {
        let (keys, clock) = (ports.keys.clone(), ports.clock.clone());
        Self { keys, clock, cached: Mutex::default() }
    }

    /// Seals what each of `payloads` holds in the clear. What concerns a subject that is forgotten
    /// is dropped.
    pub(crate) async fn seal(&self, payloads: &mut Placed<'_>, on_sealed: OnSealed) -> Result<()> {
        let mut subjects = BTreeSet::new();
        for (_, payload) in payloads.iter() {
            subjects.extend(mark::clear_subjects(payload)?);
        }
        let needed = subjects.into_iter().map(|subject| (subject, 1)).collect();
        let mut rings = self.rings(&needed).await?;
        for (subject, ring) in rings.iter_mut().filter(|(_, ring)| **ring == Keyring::Empty) {
            *ring = self.create(subject, 1).await?;
        }
        for (place, payload) in payloads.iter_mut() {
            let sealing = Sealing { rings: &rings, place, on_sealed };
            **payload = Payload::parse(&sealing.seal(payload.get(), At::TOP)?)?;
        }
        Ok(())
    }

    /// Opens what each of `payloads` holds sealed, as far as it can be opened. What concerns a
    /// subject that is forgotten is forgotten. What was altered, moved or lost its key stays
    /// sealed, which no reader of a type takes for anything else.
    pub(crate) async fn open(&self, payloads: &mut Placed<'_>) -> Result<()> {
        let mut rings = Rings::new();
        for _ in 0..ROUNDS_MAX {
            let mut missing = BTreeMap::new();
            let mut opened = vec![];
            for (place, payload) in payloads.iter() {
                let mut opening = Opening { rings: &rings, place, missing: &mut missing };
                // What is no mark at all is left to its reader, who will know what it ought to be.
                let text = opening.open(payload.get(), At::TOP);
                opened.push(text.and_then(|text| Payload::parse(&text)).ok());
            }
            let found = self.rings(&missing).await?;
            let is_news = |(subject, ring): (&StreamId, &Keyring)| rings.get(subject) != Some(ring);
            if !found.iter().any(is_news) {
                for ((_, payload), opened) in payloads.iter_mut().zip(opened) {
                    if let Some(opened) = opened {
                        **payload = opened;
                    }
                }
                return Ok(());
            }
            rings.extend(found);
        }
        Err(Error::corrupt(format!("personal data lie within others, {ROUNDS_MAX} deep")))
    }

    /// Which of `subjects` are forgotten.
    pub(crate) async fn forgotten(&self, subjects: &BTreeSet<StreamId>) -> Result<Vec<StreamId>> {
        let needed = subjects.iter().map(|subject| (subject.clone(), 0)).collect();
        let rings = self.rings(&needed).await?;
        let forgotten = rings.into_iter().filter(|(_, ring)| *ring == Keyring::Destroyed);
        Ok(forgotten.map(|(subject, _)| subject).collect())
    }

    /// Destroys the keys of `subject`. This process shows nothing of it from then on.
    pub(crate) async fn forget(&self, subject: &StreamId) -> Result<()> {
        self.keys.destroy(subject).await?;
        let mut cached = self.lock();
        cached.forgotten += 1;
        cached.rings.insert(subject.clone(), (self.clock.now(), Keyring::Destroyed));
        Ok(())
    }

    /// Makes another key for `subject`, which seals from now on. Returns its number; `None` if the
    /// subject is forgotten.
    pub(crate) async fn renew(&self, subject: &StreamId) -> Result<Option<u32>> {
        self.lock().rings.remove(subject);
        let needed = BTreeMap::from([(subject.clone(), 0)]);
        let count = match self.rings(&needed).await?.remove(subject).unwrap_or_default() {
            Keyring::Empty => 0,
            Keyring::Keys(keys) => keys.len() as u32,
            Keyring::Destroyed => return Ok(None),
        };
        match self.create(subject, count + 1).await? {
            Keyring::Keys(keys) => Ok(Some(keys.len() as u32)),
            _ => Ok(None),
        }
    }

    /// The keys of those who are `needed`, each with the number of the key that there must be at
    /// least if what is at hand is to do.
    async fn rings(&self, needed: &BTreeMap<StreamId, u32>) -> Result<Rings> {
        if needed.is_empty() {
            return Ok(Rings::new());
        }
        let now = self.clock.now();
        let (mut rings, mut asked, forgotten) = {
            let cached = self.lock();
            let at_hand = |(subject, number): (&StreamId, &u32)| {
                let (read, ring) = cached.rings.get(subject)?;
                let is_fresh = *read <= now && now - *read < KEY_LIFETIME;
                let suffices = match ring {
                    Keyring::Keys(keys) => keys.len() >= *number as usize,
                    Keyring::Empty => false,
                    Keyring::Destroyed => true,
                };
                (is_fresh && suffices).then(|| (subject.clone(), ring.clone()))
            };
            let rings: Rings = needed.iter().filter_map(at_hand).collect();
            let asked = needed.keys().filter(|subject| !rings.contains_key(*subject));
            let asked: Vec<_> = asked.cloned().collect();
            (rings, asked, cached.forgotten)
        };
        asked.sort();
        for batch in asked.chunks(BATCH_SUBJECTS_MAX) {
            let found = self.keys.get(batch).await?;
            if found.len() != batch.len() {
                let message = "the key store answered for fewer subjects than it was asked for";
                return Err(Error::new(ErrorKind::Unexpected, message));
            }
            for (subject, ring) in batch.iter().zip(found) {
                self.keep(subject, &ring, now, forgotten);
                rings.insert(subject.clone(), ring);
            }
        }
        Ok(rings)
    }

    async fn create(&self, subject: &StreamId, number: u32) -> Result<Keyring> {
        let (now, forgotten) = (self.clock.now(), self.lock().forgotten);
        let ring = self.keys.create(subject, number, &cipher::fresh_key()?).await?;
        self.keep(subject, &ring, now, forgotten);
        Ok(ring)
    }

    /// Keeps at hand what was read at the time `read`, unless a subject was forgotten since.
    fn keep(&self, subject: &StreamId, ring: &Keyring, read: OffsetDateTime, forgotten: u64) {
        let mut cached = self.lock();
        if cached.forgotten != forgotten || *ring == Keyring::Empty {
            return;
        }
        if cached.rings.len() >= SUBJECTS_CACHED_MAX {
            cached.rings.retain(|_, (then, _)| *then <= read && read - *then < KEY_LIFETIME);
        }
        if cached.rings.len() >= SUBJECTS_CACHED_MAX {
            cached.rings.clear();
        }
        cached.rings.insert(subject.clone(), (read, ring.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        // Every change of the cache is one insertion or removal: it is whole after a panic.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Seals one payload.
struct Sealing<'a> {
    rings: &'a Rings,
    place: &'a str,
    on_sealed: OnSealed,
}

impl Sealing<'_> {
    fn seal(&self, text: &str, at: At<'_>) -> Result<String> {
        mark::rewrite_text(text, at, &mut |at, mark| match mark {
            Mark::Clear(subject, value) => self.seal_value(subject, value, at),
            Mark::Sealed(subject, ..) if self.on_sealed == OnSealed::Refuse => {
                let message = format!("a value of {subject} was sealed by somebody else");
                Err(Error::invalid(message))
            }
            mark => Ok(mark.write()),
        })
    }

    /// What lies within is sealed first, for its own subject.
    fn seal_value(&self, subject: StreamId, value: &str, at: At<'_>) -> Result<String> {
        let Some(Keyring::Keys(keys)) = self.rings.get(&subject) else {
            return Ok(Mark::Forgotten(subject).write());
        };
        let Some(newest) = keys.last() else { return Ok(Mark::Forgotten(subject).write()) };
        let value = self.seal(value, at)?;
        let key = keys.len() as u32;
        let bond = Bond { place: self.place, path: at.path, subject: &subject, key };
        let sealed = cipher::seal(newest, &bond, &value)?;
        Ok(Mark::Sealed(subject, key, sealed).write())
    }
}

/// Opens one payload.
struct Opening<'a> {
    rings: &'a Rings,
    place: &'a str,
    /// Whose keys turn out to be needed, and which of them.
    missing: &'a mut BTreeMap<StreamId, u32>,
}

impl Opening<'_> {
    fn open(&mut self, text: &str, at: At<'_>) -> Result<String> {
        mark::rewrite_text(text, at, &mut |at, mark| match mark {
            Mark::Sealed(subject, key, sealed) => self.open_value(subject, key, sealed, at),
            mark => Ok(mark.write()),
        })
    }

    fn open_value(
        &mut self,
        subject: StreamId,
        key: u32,
        sealed: String,
        at: At<'_>,
    ) -> Result<String> {
        let bond = Bond { place: self.place, path: at.path, subject: &subject, key };
        let opened = match self.rings.get(&subject) {
            Some(Keyring::Destroyed) => return Ok(Mark::Forgotten(subject).write()),
            Some(Keyring::Keys(keys)) => {
                numbered(keys, key).map(|k| cipher::open(k, &bond, &sealed))
            }
            Some(Keyring::Empty) | None => None,
        };
        match opened {
            Some(Some(value)) => {
                let value = self.open(&value, at)?;
                Ok(Mark::Clear(subject, &value).write())
            }
            Some(None) => {
                tracing::warn!(place = self.place, %subject, "personal data cannot be opened");
                Ok(Mark::Sealed(subject, key, sealed).write())
            }
            None => {
                let number = self.missing.entry(subject.clone()).or_default();
                *number = key.max(*number);
                Ok(Mark::Sealed(subject, key, sealed).write())
            }
        }
    }
}

/// The key of the number `number`, counted from 1.
fn numbered(keys: &[SubjectKey], number: u32) -> Option<&SubjectKey> {
    keys.get((number as usize).checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use async_trait::async_trait;

    use super::*;

    /// A store whose answers take a while.
    #[derive(Debug)]
    struct Slow(Mutex<Keyring>);

    #[async_trait]
    impl KeyStore for Slow {
        async fn get(&self, _: &[StreamId]) -> Result<Vec<Keyring>> {
            let found = self.0.lock().unwrap().clone();
            tokio::task::yield_now().await;
            Ok(vec![found])
        }

        async fn create(&self, _: &StreamId, _: u32, _: &SubjectKey) -> Result<Keyring> {
            unreachable!("there are keys")
        }

        async fn destroy(&self, _: &StreamId) -> Result<()> {
            *self.0.lock().unwrap() = Keyring::Destroyed;
            Ok(())
        }
    }

    #[derive(Debug)]
    struct Still;

    #[async_trait]
    impl Clock for Still {
        fn now(&self) -> OffsetDateTime {
            OffsetDateTime::UNIX_EPOCH
        }

        async fn sleep(&self, _: Duration) {}
    }

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn keys_that_were_read_before_their_subject_was_forgotten_are_not_kept() {
        let key = SubjectKey::from_bytes([1; SubjectKey::BYTES]);
        let keys = Arc::new(Slow(Mutex::new(Keyring::Keys(vec![key]))));
        let vault = Vault { keys, clock: Arc::new(Still), cached: Mutex::default() };
        let ada = StreamId::new("ada").unwrap();
        let needed = BTreeMap::from([(ada.clone(), 1)]);
        let mut reading = pin!(vault.rings(&needed));
        assert!(poll(reading.as_mut()).is_pending(), "the keys are on their way");
        vault.forget(&ada).await.unwrap();
        let read = reading.await.unwrap();
        assert!(matches!(read[&ada], Keyring::Keys(_)), "they were read before");
        assert_eq!(vault.rings(&needed).await.unwrap()[&ada], Keyring::Destroyed);
    }
}
