//! What a command costs, on streams of any length: warm, when the instance has the state at hand,
//! and cold, after a restart.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// How many events the stream has before the first command that is measured.
const LENGTHS: [usize; 4] = [10, 100, 1_000, 10_000];

fn commands(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("tokio starts");
    let mut group = criterion.benchmark_group("command");
    group.throughput(Throughput::Elements(1));
    for length in LENGTHS {
        let runtime = bench::runtime();
        tokio.block_on(async {
            for _ in 0..length {
                bench::run(&runtime, "1").await;
            }
        });
        group.bench_function(BenchmarkId::new("warm", length), |bencher| {
            bencher.iter(|| tokio.block_on(bench::run(&runtime, "1")));
        });
        group.bench_function(BenchmarkId::new("cold", length), |bencher| {
            let restart = || runtime.restarted();
            let run = |cold| tokio.block_on(bench::run(black_box(&cold), "1"));
            bencher.iter_batched(restart, run, BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, commands);
criterion_main!(benches);
