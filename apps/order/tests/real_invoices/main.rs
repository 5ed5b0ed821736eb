//! The real invoices, imported as anybody outside would, and compared with the file itself.
//!
//! They are read from `../shared/data` beside the workspace. Where that is absent, the tests say
//! so and pass, unless `CI` is set.

mod file;
mod shop;

use skyfold_memory::{Memory, VirtualClock};

use file::File;
use shop::Shop;

#[tokio::test]
async fn all_invoices_are_imported_and_everything_adds_up() {
    let Some(file) = File::december() else { return };
    let shop = Shop::new(Memory::with_clock(VirtualClock::new()));
    let started = std::time::Instant::now();
    let report = shop.import(&file).await;
    eprintln!("{:?} {:?}", started.elapsed(), report.commands);
    let mut reasons = std::collections::BTreeMap::new();
    for r in &report.findings.refused {
        *reasons.entry(&r.reason).or_insert(0) += 1;
    }
    eprintln!("{reasons:#?}");
    assert_eq!((report.lines, report.invoices), (9_999, 512));
    shop.check(&file, &report).await;
    eprintln!("{:?}", started.elapsed());
}
