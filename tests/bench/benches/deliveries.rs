//! What an event costs on its way into a view: in batches, one by one, and again as a duplicate.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyfold::{Announced, Runtime, Trigger};

/// How many streams there are.
const STREAMS: usize = 100;

/// How many events each has.
const EVENTS: usize = 10;

async fn recorded() -> (Runtime, Vec<Announced>) {
    let runtime = bench::runtime();
    for nth in 0..STREAMS * EVENTS {
        bench::run(&runtime, &(nth % STREAMS).to_string()).await;
    }
    let news = bench::deliveries(&runtime).await;
    (runtime, news)
}

async fn deliver(runtime: &Runtime, function: &str, news: &[Announced], batch: usize) {
    for batch in news.chunks(batch) {
        let reply = runtime.invoke(function, Trigger::Events(batch.to_vec())).await;
        assert!(reply.is_ok(), "{reply:?}");
    }
}

fn deliveries(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("tokio starts");
    let mut group = criterion.benchmark_group("delivery");
    group.throughput(Throughput::Elements((STREAMS * EVENTS) as u64)).sample_size(10);
    for function in ["whereabouts", "load"] {
        for batch in [1, 10, 100] {
            group.bench_function(BenchmarkId::new(function, batch), |bencher| {
                let fresh = || tokio.block_on(recorded());
                let run = |(runtime, news): (Runtime, Vec<_>)| {
                    tokio.block_on(deliver(&runtime, function, &news, batch));
                };
                bencher.iter_batched(fresh, run, criterion::BatchSize::LargeInput);
            });
        }
        let (runtime, news) = tokio.block_on(recorded());
        tokio.block_on(deliver(&runtime, function, &news, 100));
        group.bench_function(BenchmarkId::new(function, "duplicates"), |bencher| {
            bencher.iter(|| tokio.block_on(deliver(&runtime, function, &news, 100)));
        });
    }
    group.finish();
}

criterion_group!(benches, deliveries);
criterion_main!(benches);
