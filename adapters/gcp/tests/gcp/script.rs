use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::common::{Answer, Weather};

/// When an answer takes the place of the real one.
pub(crate) enum Turn {
    /// Instead of carrying the request out.
    Before(Answer),
    /// Once it was carried out.
    After(Answer),
}

/// Answers to the requests of one method, in order; then there is calm.
#[derive(Clone)]
pub(crate) struct Script {
    method: &'static str,
    turns: Arc<Mutex<VecDeque<Turn>>>,
    /// How many requests of the method there were.
    count: Arc<Mutex<usize>>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a script of {}", self.method)
    }
}

impl Script {
    pub(crate) fn new(method: &'static str, turns: impl IntoIterator<Item = Turn>) -> Self {
        let turns = Arc::new(Mutex::new(turns.into_iter().collect()));
        Self { method, turns, count: Arc::default() }
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.lock().unwrap()
    }

    /// The next turn, if `method` is what it is about.
    fn next(&self, method: &str, is_before: bool) -> Option<Answer> {
        if method != self.method {
            return None;
        }
        *self.count.lock().unwrap() += usize::from(is_before);
        let mut turns = self.turns.lock().unwrap();
        match (turns.front()?, is_before) {
            (Turn::Before(_), true) | (Turn::After(_), false) => {}
            _ => return None,
        }
        turns.pop_front().map(|turn| match turn {
            Turn::Before(answer) | Turn::After(answer) => answer,
        })
    }
}

impl Weather for Script {
    fn before(&self, method: &str, _: &[u8]) -> Option<Answer> {
        self.next(method, true)
    }

    fn after(&self, method: &str, _: &[u8], _: &[u8]) -> Option<Answer> {
        self.next(method, false)
    }
}
