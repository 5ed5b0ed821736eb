//! What requests to a database may meet: refusals that pass, and connections that end before a
//! request was carried out or after.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http;
use axum::response::Response;

/// One request in so many meets something.
const ODDS: u64 = 12;

/// How many requests in a row meet something at most: core makes a call five times.
const IN_A_ROW_MAX: usize = 3;

/// After how many requests that met something a storm is over: a batch of a hundred requests, which
/// are all made again when one fails, would not come through it.
const MET_MAX: usize = 200;

/// How late a late answer is.
const LATE: Duration = Duration::from_millis(20);

/// What a request meets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    Calm,
    Refused(Refusal),
    Slow(Duration),
    /// The connection ends, and nothing was done.
    Cut,
    /// The connection ends when all was done.
    Lost,
}

/// What it is called that a request meets nothing.
const CALM: &str = "calm";

/// An answer that asks to come again ("HTTP status codes for Azure Cosmos DB").
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    status: u16,
    substatus: u32,
}

/// Each as often as the others.
const TURNS: [(&str, Turn); 7] = [
    ("throttled", Turn::Refused(Refusal { status: 429, substatus: 3200 })),
    ("behind", Turn::Refused(Refusal { status: 404, substatus: 1002 })),
    ("unavailable", Turn::Refused(Refusal { status: 503, substatus: 0 })),
    ("timeout", Turn::Refused(Refusal { status: 408, substatus: 0 })),
    ("slow", Turn::Slow(LATE)),
    ("cut", Turn::Cut),
    ("lost", Turn::Lost),
];

impl Refusal {
    pub(crate) fn response(self) -> Result<Response, http::Error> {
        Response::builder()
            .status(self.status)
            .header("x-ms-substatus", self.substatus)
            .header("x-ms-retry-after-ms", 1)
            .header("x-ms-request-charge", "0.38")
            .header("content-type", "application/json")
            .body(Body::from(r#"{"code":"TryAgain","message":"try again"}"#))
    }
}

/// A body that ends before its end.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

/// An answer of which nothing arrives but that there was to be one.
pub(crate) fn cut() -> Result<Response, http::Error> {
    Response::builder().header("content-length", 64).body(Body::new(Broken))
}

/// The weather of each database.
#[derive(Debug, Default)]
pub(crate) struct Storms(Mutex<HashMap<String, Storm>>);

#[derive(Debug, Default)]
struct Storm {
    random: u64,
    in_a_row: usize,
    left: usize,
    met: BTreeMap<&'static str, usize>,
}

impl Storms {
    /// Has it storm over `database` as follows from `seed`, until [`MET_MAX`] requests met
    /// something, or with 0 no more.
    pub(crate) fn blow(&self, database: String, seed: u64) {
        let mut storms = self.lock();
        let storm = storms.entry(database).or_default();
        (storm.random, storm.left) = (seed, MET_MAX);
    }

    /// What requests to `database` met since the first storm, and how often.
    pub(crate) fn met(&self, database: &str) -> BTreeMap<&'static str, usize> {
        self.lock().get(database).map(|storm| storm.met.clone()).unwrap_or_default()
    }

    /// What a request to `path` meets. Only those to items meet anything.
    pub(crate) fn turn(&self, path: &str) -> Turn {
        let mut parts = path.trim_start_matches('/').split('/');
        let (Some("dbs"), Some(database), true) =
            (parts.next(), parts.next(), path.contains("/docs"))
        else {
            return Turn::Calm;
        };
        self.lock().get_mut(database).map_or(Turn::Calm, Storm::turn)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Storm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storm {
    fn turn(&mut self) -> Turn {
        let (name, turn) = self.draw().unwrap_or((CALM, Turn::Calm));
        *self.met.entry(name).or_default() += 1;
        turn
    }

    /// What is called how, if it is not calm.
    fn draw(&mut self) -> Option<(&'static str, Turn)> {
        if self.random == 0 || self.left == 0 {
            return None;
        }
        let number = self.next();
        if !number.is_multiple_of(ODDS) || self.in_a_row >= IN_A_ROW_MAX {
            self.in_a_row = 0;
            return None;
        }
        self.in_a_row += 1;
        self.left -= 1;
        let kind = usize::try_from(number / ODDS % TURNS.len() as u64).unwrap_or_default();
        Some(TURNS[kind])
    }

    /// The next number of xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
    /// generators"), which is never 0.
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }
}
