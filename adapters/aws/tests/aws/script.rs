use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::HttpRequest;
use futures::future::BoxFuture;

use crate::common::{Answer, Sent, Weather};

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

    /// The next turn, if it is about what was `sent`.
    fn next(&self, sent: &Sent, is_before: bool) -> Option<Answer> {
        if sent.operation() != self.operation {
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
    fn before(&self, sent: &mut Sent, _: &mut HttpRequest) -> Option<Answer> {
        self.next(sent, true)
    }

    fn after(&self, sent: Sent, answer: Answer) -> BoxFuture<'static, Answer> {
        let answer = self.next(&sent, false).unwrap_or(answer);
        Box::pin(std::future::ready(answer))
    }
}
