use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::HttpRequest;
use futures::future::BoxFuture;

use crate::common::{Answer, Weather};

/// When an answer takes the place of the real one.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Instead of carrying the request out.
    Before(Answer),
    /// Once it was carried out.
    After(Answer),
}

/// Answers to the requests of one operation, in order; then there is calm.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    operation: &'static str,
    turns: Arc<Mutex<VecDeque<Turn>>>,
}

impl Script {
    pub(crate) fn new(operation: &'static str, turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { operation, turns: Arc::new(Mutex::new(turns.into_iter().collect())) }
    }

    /// The next turn, if `target` is what it is about.
    fn next(&self, target: &str, is_before: bool) -> Option<Answer> {
        if !target.ends_with(self.operation) {
            return None;
        }
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
    fn before(&self, target: &str, _: &mut HttpRequest) -> Option<Answer> {
        self.next(target, true)
    }

    fn after(&self, target: String, answer: Answer) -> BoxFuture<'static, Answer> {
        let answer = self.next(&target, false).unwrap_or(answer);
        Box::pin(std::future::ready(answer))
    }
}
