//! How long it takes to rebuild a read model: fills the in-memory store, replays all of it, and
//! tells events a second, of the clock and of the processor's time, and what the replay held beside
//! the data.
//!
//! `cargo run --release -p bench --bin rebuild -- 10000000 whereabouts 4`: how many events, which
//! projection (`whereabouts`, of one stream a view, or `load`, of many), and how many events a
//! commit has.

use std::time::Instant;

use bench::Event;
use skyfold::{
    CommandId, Commit, Head, Metadata, NewEvent, Payload, RecordedCommit, Replay, Result, Runtime,
    StreamName,
};

/// How many events a stream has.
const EVENTS_PER_STREAM: usize = 20;

/// How many couriers there are, each with a view of its own.
const COURIERS: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let events: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let name = arguments.next().unwrap_or_else(|| "whereabouts".into());
    let per_commit = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let runtime = bench::runtime();
    let begun = Instant::now();
    let events = fill(&runtime, events, per_commit).await?;
    println!("{events} events recorded in {:.1} s", begun.elapsed().as_secs_f64());
    let (before, begun, computed) = (resident_bytes(), Instant::now(), computed_seconds());
    let model = runtime.read_model(&name)?;
    let mut told = 0;
    let everything = Replay::default();
    let replayed = model.replay(&everything, |progress| {
        if progress.events / 1_000_000 > told {
            told = progress.events / 1_000_000;
            println!("{told} million, {:.0} %", progress.fraction * 100.0);
        }
    });
    let replayed = replayed.await?;
    let seconds = begun.elapsed().as_secs_f64();
    let computed = computed_seconds() - computed;
    let rate = |seconds: f64| replayed.events as f64 / seconds;
    println!("{name}: {} events in {seconds:.1} s: {:.0} events/s", replayed.events, rate(seconds));
    println!("{computed:.1} s of that computing: {:.0} events/s and core", rate(computed));
    let grown = resident_bytes().saturating_sub(before) / 1_000_000;
    println!("{grown} MB more than before, the views included");
    Ok(())
}

/// Records `events` events in streams that grow side by side, as they do in life.
async fn fill(runtime: &Runtime, events: usize, per_commit: usize) -> Result<usize> {
    let streams = (events / EVENTS_PER_STREAM).max(1);
    let names = (0..streams).map(|nth| format!("parcel-{nth}").parse());
    let mut heads: Vec<Head> =
        names.map(|name: Result<StreamName>| name.map(Head::empty)).collect::<Result<_>>()?;
    let mut count = 0;
    while count < events {
        for (nth, head) in heads.iter_mut().enumerate() {
            let commit = commit(runtime, nth, count, per_commit)?;
            runtime.ports().events.append(head, &commit).await?;
            let (stream, first) = (head.stream().clone(), head.version().next());
            *head = RecordedCommit { stream, first, commit }.head();
            count += per_commit;
            if count >= events {
                break;
            }
        }
    }
    Ok(count)
}

fn commit(runtime: &Runtime, stream: usize, nth: usize, events: usize) -> Result<Commit> {
    let scanned = Event::Scanned {
        place: "sorting centre 4, belt 17, Leipzig".into(),
        courier: format!("courier-{:04}", stream % COURIERS),
        grams: 1_250,
        remark: "the label is torn at the lower left corner, the address can be read".into(),
    };
    let fields = Payload::encode(&scanned)?.decode::<serde_json::Value>()?;
    let data = Payload::encode(&fields["Scanned"])?;
    let event = NewEvent { event_type: "Scanned".into(), schema: 1, data };
    let (id, metadata) = (CommandId::new(format!("c-{nth}"))?, Metadata::default());
    Commit::new(id, 0, runtime.now(), metadata, vec![event; events])
}

/// For how many seconds this one thread has computed, where the system tells. A machine that does
/// other work as well takes longer, and computes no more.
fn computed_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e9
}

/// How many bytes of the machine's memory this process takes, where the system tells.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.unwrap_or(0_u64) * 1024
}
