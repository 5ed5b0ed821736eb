use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Fault, Request, Tap};

/// Fails requests by a script.
pub struct Faulty {
    applies: fn(&Request<'_>) -> bool,
    script: Mutex<VecDeque<Option<Fault>>>,
}

impl Faulty {
    /// Fails the requests that `applies` picks, each as the next entry of `script` says; `None`
    /// lets one pass, and so does the end of the script.
    pub fn new(
        applies: fn(&Request<'_>) -> bool,
        script: impl IntoIterator<Item = Option<Fault>>,
    ) -> Arc<Self> {
        Arc::new(Self { applies, script: Mutex::new(script.into_iter().collect()) })
    }

    /// Adds to the script.
    pub fn extend(&self, script: impl IntoIterator<Item = Option<Fault>>) {
        self.lock().extend(script);
    }

    /// How many entries of the script were not met yet.
    pub fn left(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Option<Fault>>> {
        self.script.lock().expect("nothing panics while it holds the script")
    }
}

#[async_trait]
impl Tap for Faulty {
    async fn meet(&self, request: Request<'_>, _: usize) -> Option<Fault> {
        if !(self.applies)(&request) {
            return None;
        }
        self.lock().pop_front().flatten()
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("script", &self.script).finish_non_exhaustive()
    }
}
