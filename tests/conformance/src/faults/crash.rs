use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use skyfold::ErrorKind;

use super::{Fault, Request, Tap};

/// On which side of a write the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the write takes effect.
    Before,
    /// After it took effect and before its answer came.
    After,
}

/// Ends the process at one of its writes: from there on no request of any kind comes through.
#[derive(Debug)]
pub struct Crash {
    at: usize,
    side: Side,
    writes: AtomicUsize,
    has_happened: AtomicBool,
}

impl Crash {
    /// A crash before the write `at`, counted from 0.
    pub fn before(at: usize) -> Arc<Self> {
        Self::new(at, Side::Before)
    }

    /// A crash between the write `at`, counted from 0, and its answer.
    pub fn after(at: usize) -> Arc<Self> {
        Self::new(at, Side::After)
    }

    /// Both crashes at the write `at`.
    pub fn around(at: usize) -> [Arc<Self>; 2] {
        [Self::before(at), Self::after(at)]
    }

    fn new(at: usize, side: Side) -> Arc<Self> {
        let (writes, has_happened) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { at, side, writes, has_happened })
    }

    /// Whether the process got as far as the crash.
    pub fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Tap for Crash {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        // Not a transient kind: nobody is left to try again.
        let gone = Some(Fault::Before(ErrorKind::Unexpected));
        if self.has_happened() {
            return gone;
        }
        if !request.is_write() || self.writes.fetch_add(1, Ordering::SeqCst) != self.at {
            return None;
        }
        self.has_happened.store(true, Ordering::SeqCst);
        match self.side {
            Side::Before => gone,
            Side::After => Some(Fault::After(ErrorKind::Unexpected)),
        }
    }
}
