//! A file of invoices is refused as a whole, or each of its lines becomes a command or is reported.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use order::import::{Plan, parse};

const HEADER: &[u8] =
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n";

fuzz_target!(|bytes: &[u8]| {
    // Most of what chance makes has no header: it is given one.
    let mut text = HEADER.to_vec();
    let bytes = match bytes.split_first() {
        Some((b'!', rest)) => {
            text.extend_from_slice(rest);
            &text[..]
        }
        _ => bytes,
    };
    let Ok(rows) = parse::rows(bytes) else { return };
    let lines: BTreeSet<u64> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines.len(), rows.len(), "each line has a number of its own");
    let plan = Plan::of(rows, "GBP".parse().unwrap()).unwrap();
    let jobs = plan.stock.iter().chain(&plan.orders).chain(plan.undoings.values());
    let done = jobs.flatten().flat_map(|step| &step.lines).copied();
    let refused = plan.findings.refused.iter().map(|refused| refused.line);
    let told: BTreeSet<u64> = done.chain(refused).collect();
    assert_eq!(told, lines, "each line is done or told");
});
