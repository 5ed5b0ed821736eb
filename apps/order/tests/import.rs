//! `order import` as people and scripts meet it: what it says of good, odd and bad files.

#![allow(clippy::unwrap_used, reason = "what is missing in a test fails it")]

use std::path::{Path, PathBuf};

use order::import::parse::{FileError, rows};
use serde_json::Value;
use skyfold_cli::{Cli, Console, Exit};
use skyfold_memory::Memory;

const HEADER: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

/// Ada orders two hearts and postage.
const HEARTS: &str = "1,HEART,A HEART,2,12/1/2010 8:26,3.39,ada,UK\n\
                      1,POST,POSTAGE,1,12/1/2010 8:26,18,ada,UK\n";

fn file(name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn with_header(lines: &str) -> String {
    format!("{HEADER}\n{lines}")
}

/// Imports `path`, and gives how that ended and what was written to each stream.
async fn import(path: &Path, options: &[&str]) -> (Exit, String, String) {
    let memory = Memory::new();
    let rest = memory.clone();
    let (console, captured) = Console::captured();
    let cli = Cli::new(order::app(), memory.ports())
        .ephemeral()
        .settle(move |runtime| {
            let rest = rest.clone();
            async move { rest.settle(&runtime).await }
        })
        .command("import", order::import::import);
    let arguments = ["order", "import", path.to_str().unwrap()];
    let exit = cli.run_with([&arguments, options].concat(), console).await;
    (exit, captured.out(), captured.err())
}

/// Imports `lines`, and gives how that ended and its report.
async fn report(name: &str, lines: &str) -> (Exit, Value) {
    let (exit, out, err) = import(&file(name, with_header(lines)), &["--json"]).await;
    (exit, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

fn error(text: impl AsRef<[u8]>) -> FileError {
    rows(text.as_ref()).unwrap_err()
}

#[tokio::test]
async fn a_file_without_oddities_succeeds() {
    let (exit, report) = report("plain.csv", HEARTS).await;
    assert_eq!((exit, &report["refused"]), (Exit::Done, &serde_json::json!([])));
    assert_eq!(report["commands"], serde_json::json!({ "place": 1, "receive": 1 }));
}

#[tokio::test]
async fn a_refused_line_is_told_with_its_number_and_fails_unless_lenient() {
    let lines = format!("{HEARTS}C2,STAR,A STAR,-1,12/2/2010 9:00,1.00,ada,UK\n");
    let (exit, report) = report("refused.csv", &lines).await;
    let refused = serde_json::json!([{
        "line": 4,
        "invoice": "C2",
        "code": "STAR",
        "reason": "the customer has not bought this earlier in the file",
    }]);
    assert_eq!((exit, &report["refused"]), (Exit::Failed, &refused));
    let path = file("lenient.csv", with_header(&lines));
    assert_eq!(import(&path, &["--lenient"]).await.0, Exit::Done);
}

#[tokio::test]
async fn what_the_domain_refuses_is_told_line_by_line() {
    let lines =
        "1,HEART,A HEART,2,12/1/2010 8:26,-1,ada,UK\n1,STAR,A STAR,1,12/1/2010 8:26,1,ada,UK\n";
    let (exit, report) = report("negative.csv", lines).await;
    let told = report["refused"].as_array().unwrap().iter().map(|r| r["line"].as_u64().unwrap());
    let told: Vec<_> = told.collect();
    assert_eq!((exit, told), (Exit::Failed, vec![2, 3]));
    assert_eq!(report["refused"][0]["reason"], "the price of HEART is negative: -1.00");
}

#[tokio::test]
async fn an_order_that_fails_after_it_was_placed_is_told() {
    let lines = "1,HEART,A HEART,2,12/1/2010 8:26,500000.01,ada,UK\n";
    let (exit, report) = report("declined.csv", lines).await;
    let reason = report["refused"][0]["reason"].as_str().unwrap();
    assert_eq!(exit, Exit::Failed);
    assert!(reason.starts_with("the payment was declined"), "{reason}");
}

#[tokio::test]
async fn every_odd_line_takes_effect_or_is_told() {
    let lines = format!(
        "{HEARTS}C2,HEART,A HEART,-1,12/2/2010 9:00,3.39,ada,UK\n\
         3,heart,,5,12/2/2010 9:00,0,,UK\n\
         4,HEART,broken,-2,12/2/2010 9:00,0,,UK\n\
         5,BANK CHARGES,Bank,1,12/2/2010 9:00,15,,UK\n\
         6,HEART,A HEART,-1,12/2/2010 9:00,3.39,ada,UK\n\
         C7,HEART,A HEART,-1,12/2/2010 9:00,3.39,,UK\n\
         C8,D,Discount,-1,12/2/2010 9:00,9,ada,UK\n\
         9,HEART,A HEART,1,12/2/2010 9:00,3.39,ada,UK\n\
         9,HEART,A HEART,1,12/2/2010 9:00,3.39,bob,UK\n"
    );
    let (_, report) = report("odd.csv", &lines).await;
    let refused = report["refused"].as_array().unwrap();
    let told: Vec<_> = refused.iter().map(|refused| refused["line"].as_u64().unwrap()).collect();
    assert_eq!(told, [8, 9, 10, 12]);
    let notes = &report["notes"];
    for (what, lines) in [
        ("names no order: taken out of the newest that has it", vec![4]),
        ("no customer and no price: found in stock", vec![5]),
        ("no customer and no price: written off", vec![6]),
        ("the code has small letters: taken as capitals", vec![5]),
        ("the code has spaces: underscores take their place", vec![7]),
        ("nobody is named: a guest's order", vec![7]),
        ("no goods: charged for, and not taken out of stock", vec![3, 7]),
    ] {
        assert_eq!(notes[what], serde_json::json!(lines), "{what}: {notes}");
    }
}

#[tokio::test]
async fn a_bad_file_is_told_with_its_line_and_nothing_is_done() {
    let path = file("bad.csv", with_header(&format!("{HEARTS}2,HEART,A HEART,two,x,1,ada,UK\n")));
    let (exit, out, err) = import(&path, &[]).await;
    assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
    assert!(err.contains("bad.csv cannot be imported: line 4: "), "{err}");
    let (exit, _, err) = import(Path::new("/nowhere/at/all.csv"), &[]).await;
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("cannot be opened"), "{err}");
}

#[test]
fn each_kind_of_bad_line_is_an_error_that_names_it() {
    let line = |line: &str| error(with_header(&format!("{HEARTS}{line}\n"))).to_string();
    assert_eq!(
        line("2,HEART,A HEART,2,12/1/2010 8:26,1e3,ada,UK"),
        "line 4: \"1e3\" is no UnitPrice"
    );
    assert_eq!(
        line("2,HEART,A HEART,2.5,12/1/2010 8:26,1,ada,UK"),
        "line 4: \"2.5\" is no Quantity"
    );
    assert_eq!(
        line("2,HEART,A HEART,2,2010-12-01,1,ada,UK"),
        "line 4: \"2010-12-01\" is no InvoiceDate"
    );
    assert_eq!(line(",HEART,A HEART,2,12/1/2010 8:26,1,ada,UK"), "line 4: \"\" is no InvoiceNo");
    assert!(matches!(error(with_header("1,HEART\n")), FileError::Read { line: 2, .. }));
    assert!(matches!(error("{\"not\": \"csv\"}"), FileError::Column { column: "InvoiceNo", .. }));
    assert!(matches!(error(""), FileError::Column { .. }));
    let mut bytes = with_header("").into_bytes();
    bytes.extend(b"1,HEART,A HEART,2,12/1/2010 8:26,1,\xff,UK\n");
    assert!(matches!(error(bytes), FileError::Encoding { line: 2, column: "CustomerID", .. }));
}

#[test]
fn lines_are_numbered_as_an_editor_numbers_them() {
    let text = format!("\u{feff}{HEADER}\n{HEARTS}").replace('\n', "\r\n");
    let lines: Vec<_> = rows(text.as_bytes()).unwrap().iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn a_description_that_is_no_utf_8_is_read_as_latin_1_and_said_to_be() {
    let mut bytes = with_header("").into_bytes();
    bytes.extend(b"1,gift_0001_40,Voucher \xa340.00,1,12/1/2010 8:26,34.04,,UK\n");
    let rows = rows(&*bytes).unwrap();
    assert_eq!((rows[0].description.as_str(), rows[0].is_latin_1), ("Voucher £40.00", true));
}
