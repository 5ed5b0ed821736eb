//! The real invoices, imported as anybody outside would, and compared with the file itself.
//!
//! They are read from `../shared/data` beside the workspace. Where that is absent, the tests say
//! so and pass, unless `CI` is set. All invoices with a hundred kinds of bad luck are slow:
//!
//! ```sh
//! cargo test --release -p order --test real_invoices -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

mod file;
mod shop;

use std::collections::BTreeSet;

use order::import::{Plan, parse};
use skyfold_memory::{Faults, Memory, VirtualClock};

use file::File;
use shop::Shop;

/// With how many seeds the quick test imports some invoices, and the slow one all.
const SEEDS_FEW: u64 = 3;
const SEEDS_MANY: u64 = 100;

#[tokio::test]
async fn all_invoices_are_imported_and_everything_adds_up() {
    let Some(file) = File::december() else { return };
    let shop = Shop::new(Memory::new());
    let report = shop.import(&file).await;
    assert_eq!((report.lines, report.invoices), (9_999, 512));
    shop.check(&file, &report).await;
}

#[tokio::test]
async fn an_import_that_is_repeated_changes_nothing() {
    let Some(file) = File::december() else { return };
    let file = file.only(&some(&file));
    let shop = Shop::new(Memory::new());
    let first = shop.import(&file).await;
    let before = shop.memory.dump().unwrap();

    let second = shop.import(&file).await;

    assert_eq!((second.accepted, second.replayed), (0, first.accepted));
    assert_eq!((second.findings, second.commands), (first.findings, first.commands));
    assert!(shop.memory.dump().unwrap() == before, "something was changed");
}

#[tokio::test]
async fn some_invoices_add_up_whatever_goes_wrong() {
    let Some(file) = File::december() else { return };
    let file = file.only(&some(&file));
    for seed in 0..SEEDS_FEW {
        import_with_faults(&file, seed).await;
    }
}

/// The larger file is compressed, has no dates, and is not UTF-8 throughout.
#[test]
fn every_line_of_the_larger_file_is_in_a_command_or_in_the_report() {
    let Some(path) = file::data("online-retail-no-dates.csv.gz") else { return };
    let rows = parse::read(&path).unwrap();
    let all: BTreeSet<u64> = rows.iter().map(|row| row.line).collect();
    let plan = Plan::of(rows, "GBP".parse().unwrap()).unwrap();
    assert_eq!((plan.lines, plan.invoices, all.len()), (50_062, 2_342, 50_062));

    let jobs = plan.stock.iter().chain(&plan.orders).chain(plan.undoings.values());
    let given: BTreeSet<u64> = jobs.flatten().flat_map(|step| step.lines.clone()).collect();
    let refused: BTreeSet<u64> = plan.findings.refused.iter().map(|told| told.line).collect();

    assert_eq!(given.intersection(&refused).count(), 0, "a line is given or refused, not both");
    assert_eq!(&given | &refused, all, "no line is dropped");
}

#[tokio::test]
#[ignore = "takes long: the head of this file tells how to run it"]
async fn all_invoices_add_up_whatever_goes_wrong() {
    let Some(file) = File::december() else { return };
    for seed in 0..SEEDS_MANY {
        import_with_faults(&file, seed).await;
    }
}

async fn import_with_faults(file: &File, seed: u64) {
    eprintln!("seed {seed}");
    let shop = Shop::new(Memory::with_faults(Faults::heavy(seed), VirtualClock::new()));
    let report = shop.import(file).await;
    // What was kept is checked, and not what a read happens to miss.
    shop.memory.calm();
    shop.check(file, &report).await;
    let faults = shop.memory.fault_counts();
    assert!(faults.crashed > 0 && faults.duplicated > 0 && faults.stale > 0, "{faults:?}");
}

/// Some invoices of each kind: those of customers who bring something back, those that only count
/// the stock, one of more than a hundred lines, and the first of the others.
fn some(file: &File) -> BTreeSet<&str> {
    let without = file.without_purchase();
    let comes_back = |line: &&file::Line| line.is_cancellation() && !without.contains(&line.number);
    let customers: BTreeSet<_> =
        file.lines.iter().filter(comes_back).map(|line| &line.customer).collect();
    let is_wanted = |line: &&file::Line| customers.contains(&line.customer) || line.is_count();
    let wanted = file.lines.iter().filter(is_wanted).map(|line| line.invoice.as_str());
    wanted.chain(["537144", "C536379"]).chain(file.invoices().into_iter().take(8)).collect()
}
