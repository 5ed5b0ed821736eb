//! Whatever goes wrong on the wire, nothing is lost and nothing is done twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use conformance::Host as _;
use conformance::domain::{self, Account, Command, State, Transfer};
use googleapis_tonic_google_firestore_v1::google::firestore::v1::BatchWriteResponse;
use skyfold::{
    AsOf, CommandId, CommandRequest, Decider, ErrorKind, Metadata, Payload, Reply, Runtime,
    StreamId, Trigger,
};
use tonic::{Code, Status};

use crate::common::frames::{answer, message, refusal};
use crate::common::{Answer, Place, Weather};

/// One request in so many meets something on its way there, and one in so many on the way back.
const ODDS: u8 = 12;

/// What the accounts hold together.
const CENTS: u64 = 400;

/// How often anything is tried again before something must be wrong.
const ATTEMPTS_MAX: usize = 200;

/// Weather that follows from a seed.
#[derive(Debug)]
struct Storm {
    random: Mutex<fastrand::Rng>,
    is_calm: AtomicBool,
    met: Mutex<[usize; 7]>,
}

impl Storm {
    fn new(seed: u64) -> Arc<Self> {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let (is_calm, met) = (AtomicBool::new(true), Mutex::default());
        Arc::new(Self { random, is_calm, met })
    }

    fn calm(&self, is_calm: bool) {
        self.is_calm.store(is_calm, Ordering::SeqCst);
    }

    /// Whether something happens; what, of so many `kinds`.
    fn turn(&self, kinds: usize) -> Option<usize> {
        let mut random = self.random.lock().unwrap();
        let happens = random.u8(..ODDS) == 0 && !self.is_calm.load(Ordering::SeqCst);
        happens.then(|| random.usize(..kinds))
    }

    fn meet(&self, kind: usize) {
        self.met.lock().unwrap()[kind] += 1;
    }
}

impl Weather for Storm {
    fn before(&self, method: &str, _: &[u8]) -> Option<Answer> {
        let kind = self.turn(5)?;
        let is_write = ["Commit", "BatchWrite"].contains(&method);
        let refused = |status| Some(Ok(refusal(status)));
        let answer = match kind {
            0 => Some(Err("reset by peer".into())),
            1 => refused(Status::resource_exhausted("quota exceeded")),
            2 => refused(Status::unavailable("try again")),
            3 => refused(Status::internal("try again")),
            4 if is_write => refused(Status::aborted("too much contention")),
            _ => None,
        };
        answer.inspect(|_| self.meet(kind))
    }

    fn after(&self, method: &str, _: &[u8], said: &[u8]) -> Option<Answer> {
        match self.turn(2)? {
            0 => {
                self.meet(5);
                Some(Err("the answer was lost".into()))
            }
            // Half a batch is written, and said not to be.
            _ if method == "BatchWrite" && !said.is_empty() => {
                self.meet(6);
                let mut said: BatchWriteResponse = message(said);
                for status in said.status.iter_mut().step_by(2) {
                    status.code = Code::Unavailable.into();
                }
                Some(Ok(answer(&said)))
            }
            _ => None,
        }
    }
}

fn id(text: &str) -> StreamId {
    text.parse().unwrap()
}

/// Gives a command until it is answered.
async fn give(runtime: &Runtime, account: &str, key: &str, command: &Command) -> Reply {
    let request = CommandRequest {
        stream: id(account),
        id: CommandId::new(key).unwrap(),
        command: Payload::encode(command).unwrap(),
        expected: None,
        metadata: Metadata::default(),
    };
    for _ in 0..ATTEMPTS_MAX {
        match runtime.invoke(Account::CATEGORY, Trigger::Command(request.clone())).await {
            Ok(reply) => return reply,
            Err(error) if error.is_transient() || error.kind() == ErrorKind::Conflict => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{key} is not answered in {ATTEMPTS_MAX} attempts");
}

/// Delivers until nothing is left to do, however often that fails.
async fn settle(place: &Place, runtime: &Runtime) {
    for _ in 0..ATTEMPTS_MAX {
        match place.settle(runtime).await {
            Ok(()) => return,
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it does not settle in {ATTEMPTS_MAX} attempts");
}

/// What an account comes to.
async fn state(runtime: &Runtime, account: &str) -> State {
    let asked = Trigger::State(id(account), AsOf::Now);
    match runtime.invoke(Account::CATEGORY, asked).await.unwrap() {
        Reply::State(state) => state.state.decode().unwrap(),
        reply => panic!("{reply:?}"),
    }
}

pub(crate) async fn in_any_weather_money_is_neither_made_nor_lost_and_every_transfer_ends() {
    let accounts = ["1", "2", "3", "4"];
    let mut met = [0; 7];
    for seed in 0..4 {
        let storm = Storm::new(seed);
        let weather = storm.clone();
        let place = Place::open_with(|line| line.in_weather(weather)).await.unwrap();
        let runtime = domain::app().bind(place.ports()).unwrap();
        storm.calm(false);
        let mut random = fastrand::Rng::with_seed(seed);
        for name in accounts {
            give(&runtime, name, "open", &Command::Open { owner: name.into() }).await;
            give(&runtime, name, "fill", &Command::Deposit { cents: CENTS / 4 }).await;
        }
        for nth in 0..12 {
            let (from, to) = (random.usize(..4), random.usize(..5));
            let to = accounts.get(to).map_or("nobody", |to| to);
            let transfer = format!("t{nth}");
            let cents = random.u64(1..50);
            let send = Command::Send { transfer: id(&transfer), to: id(to), cents };
            give(&runtime, accounts[from], &transfer, &send).await;
        }
        settle(&place, &runtime).await;
        place.pass(Transfer::PATIENCE).await.unwrap();
        settle(&place, &runtime).await;
        storm.calm(true);
        let mut cents = 0;
        for name in accounts {
            let state = state(&runtime, name).await;
            assert!(state.sent.is_empty(), "of seed {seed}, {name} waits for {:?}", state.sent);
            cents += state.cents;
        }
        assert_eq!(cents, CENTS, "of seed {seed}");
        for (all, now) in met.iter_mut().zip(*storm.met.lock().unwrap()) {
            *all += now;
        }
    }
    assert!(met.iter().all(|count| *count > 0), "all kinds of weather were met: {met:?}");
}
