use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::error::ConnectorError;
use futures::future::BoxFuture;
use serde_json::json;

use super::batches::{self, Left};
use super::services::refusal;
use super::wire::{Answer, Sent, Weather, response};

/// One request in so many meets something on its way there, and one in so many on the way back.
const ODDS: u8 = 12;

/// How many requests in a row meet something at most: core makes a call five times.
const IN_A_ROW_MAX: usize = 3;

/// What a request may meet on its way there, each as often as the others.
const THERE: [&str; 6] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "TransactionConflictException",
    "InternalServerError",
    "reset by peer",
    "part of a batch",
];

/// What an answer may meet.
const BACK: &str = "the answer was lost";

/// Weather that follows from a seed. It is calm until it is told to blow.
#[derive(Debug)]
pub struct Storm(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    random: fastrand::Rng,
    blows: bool,
    in_a_row: usize,
    met: BTreeMap<&'static str, usize>,
}

impl Storm {
    pub fn new(seed: u64) -> Arc<Self> {
        let random = fastrand::Rng::with_seed(seed);
        Arc::new(Self(Mutex::new(Inner {
            random,
            blows: false,
            in_a_row: 0,
            met: THERE.into_iter().chain([BACK]).map(|what| (what, 0)).collect(),
        })))
    }

    pub fn blow(&self) {
        self.lock().blows = true;
    }

    pub fn calm(&self) {
        self.lock().blows = false;
    }

    /// How often anything was met.
    pub fn met(&self) -> BTreeMap<&'static str, usize> {
        self.lock().met.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

impl Inner {
    /// Whether anything happens now.
    fn turns(&mut self) -> bool {
        self.random.u8(..ODDS) == 0 && self.blows && self.in_a_row < IN_A_ROW_MAX
    }

    fn meet(&mut self, what: &'static str) {
        self.in_a_row += 1;
        *self.met.entry(what).or_default() += 1;
    }
}

impl Weather for Storm {
    fn before(&self, sent: &mut Sent, request: &mut HttpRequest) -> Option<Answer> {
        let mut inner = self.lock();
        if !inner.turns() {
            return None;
        }
        let what = THERE[inner.random.usize(..THERE.len())];
        let is_write = ["PutItem", "UpdateItem", "DeleteItem"].contains(&sent.operation());
        let answer = match what {
            "reset by peer" => Err(ConnectorError::io(what.into())),
            "InternalServerError" => Ok(response(500, json!({ "__type": what }).to_string())),
            "TransactionConflictException" if !is_write => return None,
            "part of a batch" => {
                sent.left = Left::of(sent.operation(), request, &mut inner.random);
                if sent.left.is_some() {
                    inner.meet(what);
                }
                return None;
            }
            code => Ok(refusal(code, "try again")),
        };
        inner.meet(what);
        Some(answer)
    }

    fn after(&self, sent: Sent, answer: Answer) -> BoxFuture<'static, Answer> {
        let mut inner = self.lock();
        let is_lost = inner.turns();
        match is_lost {
            true => inner.meet(BACK),
            false => inner.in_a_row = 0,
        }
        Box::pin(async move {
            match (is_lost, sent.left) {
                (true, _) => Err(ConnectorError::timeout(BACK.into())),
                (false, Some(left)) => batches::without(left, answer?).await,
                (false, None) => answer,
            }
        })
    }
}
