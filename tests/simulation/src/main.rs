//! Runs any number of seeds, or one of them step by step.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use simulation::{Fault, Harm, Simulator, Totals, Tracing};

/// How many failing seeds are looked at before a run gives up.
const FAILURES_MAX: usize = 3;

/// How often progress is shown where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Runs the order app on simulated ports, and checks what comes of it.
#[derive(Debug, Parser)]
#[command(name = "simulation", version)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000, conflicts_with = "seed")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, conflicts_with = "seed")]
    from: u64,
    /// How many seeds to run side by side; by default as many as there are processors
    #[arg(long)]
    threads: Option<usize>,
    /// Run this seed alone
    #[arg(long)]
    seed: Option<u64>,
    /// Print every step of the seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Shorten the seed's run first, as far as it still fails
    #[arg(long, requires = "seed")]
    shrink: bool,
    /// Stop at the first failing seed and do not shorten it
    #[arg(long, conflicts_with = "seed")]
    brief: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let simulator = Simulator::new();
    let is_right = match arguments.seed {
        Some(seed) => one(&simulator, seed, &arguments),
        None => many(&simulator, &arguments),
    };
    match is_right {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Runs one seed. Says whether everything was as it must be.
fn one(simulator: &Simulator, seed: u64, arguments: &Arguments) -> bool {
    let mut plan = simulator.plan(seed);
    let tracing = if arguments.trace { Tracing::On } else { Tracing::Off };
    if arguments.shrink
        && let Some(violation) = simulator.run_plan(&plan, Tracing::Off).violation
    {
        plan = simulator.shrink(&plan, violation.rule);
    }
    let report = simulator.run_plan(&plan, tracing);
    report.trace.iter().for_each(|line| println!("{line}"));
    let (commands, turns, digest) = (plan.commands(), report.turns, report.digest);
    println!("seed {seed}: {commands} commands, {turns} turns, digest {digest:016x}");
    match &report.violation {
        Some(violation) => println!("{violation}"),
        None => println!("everything is as it must be"),
    }
    report.violation.is_none()
}

/// Runs many seeds. Says whether everything was as it must be.
fn many(simulator: &Simulator, arguments: &Arguments) -> bool {
    let threads = arguments.threads.or_else(|| available_parallelism().ok().map(usize::from));
    let failures_max = if arguments.brief { 1 } else { FAILURES_MAX };
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    let (progress, start) = (progress(arguments.seeds), Instant::now());
    let (mut failed, mut told, mut done) = (vec![], start, 0_u64);
    let totals = simulator.run_all(seeds, threads.unwrap_or(1), |seed, report| {
        progress.inc(1);
        done += 1;
        if progress.is_hidden() && told.elapsed() >= LINE_EVERY {
            told = Instant::now();
            println!("{done} of {} seeds, {} failed", arguments.seeds, failed.len());
        }
        if let Some(violation) = &report.violation {
            failed.push((seed, violation.clone()));
        }
        match failed.len() >= failures_max {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    progress.finish_and_clear();
    failed.sort_by_key(|(seed, _)| *seed);
    for (seed, violation) in &failed {
        println!("seed {seed}: {violation}\n");
        if !arguments.brief {
            shorten(simulator, *seed);
        }
    }
    print(&totals, start.elapsed());
    failed.is_empty()
}

/// Prints the shortest trace of a failing seed that can be found.
fn shorten(simulator: &Simulator, seed: u64) {
    let plan = simulator.plan(seed);
    let Some(violation) = simulator.run_plan(&plan, Tracing::Off).violation else { return };
    let short = simulator.shrink(&plan, violation.rule);
    let report = simulator.run_plan(&short, Tracing::On);
    println!("shortened from {} to {} commands:", plan.commands(), short.commands());
    report.trace.iter().for_each(|line| println!("{line}"));
    if let Some(violation) = report.violation {
        println!("{violation}");
    }
    println!("again: --seed {seed} --trace, or --seed {seed} --shrink --trace\n");
}

fn progress(seeds: u64) -> ProgressBar {
    let template = "{bar:40} {pos} of {len} seeds, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    ProgressBar::with_draw_target(Some(seeds), target).with_style(style)
}

fn print(totals: &Totals, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let Totals { seeds, attempts, commits, turns, .. } = totals;
    let rate = |count: u64| count as f64 / seconds;
    println!("{seeds} seeds in {seconds:.1} s: {:.0} a second", rate(*seeds));
    println!("{attempts} attempts at commands, {commits} commits recorded");
    println!("{turns} steps: {:.0} a second", rate(*turns));
    for fault in Fault::ALL {
        println!("  {:>12} × {fault}", totals.faults.of(fault));
    }
    for harm in Harm::ALL {
        println!("{harm}: {}", totals.harms.get(&harm).copied().unwrap_or_default());
    }
}
