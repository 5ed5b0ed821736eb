//! Whatever goes wrong on the wire, nothing is lost and nothing is done twice.

use std::collections::BTreeMap;

use conformance::Host as _;
use conformance::domain::{self, Account, Command, State, Transfer};
use skyfold::{
    AsOf, CommandId, CommandRequest, Decider, ErrorKind, Metadata, Payload, Reply, Runtime,
    StreamId, Trigger,
};
use skyfold_aws::Feed;

use crate::common::{Place, Storm};

/// What the accounts hold together.
const CENTS: u64 = 400;

/// How often anything is tried again before something must be wrong.
const ATTEMPTS_MAX: usize = 200;

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

/// What an account comes to.
async fn state(runtime: &Runtime, account: &str) -> State {
    let asked = Trigger::State(id(account), AsOf::Now);
    match runtime.invoke(Account::CATEGORY, asked).await.unwrap() {
        Reply::State(state) => state.state.decode().unwrap(),
        reply => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn in_any_weather_money_is_neither_made_nor_lost_and_every_transfer_ends() {
    let accounts = ["1", "2", "3", "4"];
    let mut met = BTreeMap::new();
    for seed in 0..4 {
        let storm = Storm::new(seed);
        let place = Place::open_in(Feed::Index, &storm).await.unwrap();
        let runtime = domain::app().bind(place.ports()).unwrap();
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
        place.settle(&runtime).await.unwrap();
        place.pass(Transfer::PATIENCE).await.unwrap();
        place.settle(&runtime).await.unwrap();
        storm.calm();
        let mut cents = 0;
        for name in accounts {
            let state = state(&runtime, name).await;
            assert!(state.sent.is_empty(), "of seed {seed}, {name} waits for {:?}", state.sent);
            cents += state.cents;
        }
        assert_eq!(cents, CENTS, "of seed {seed}");
        for (what, times) in storm.met() {
            *met.entry(what).or_insert(0) += times;
        }
    }
    assert!(met.values().all(|times| *times > 0), "all kinds of weather were met: {met:?}");
}
