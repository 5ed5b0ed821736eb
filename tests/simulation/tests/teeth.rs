//! The simulation bites: whatever guard is removed from core, the same seeds fail.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use simulation::teeth;

/// Within how many seeds every defect must show.
const SEEDS: u32 = 2_000;

/// How many seeds must not fail while nothing is planted.
const SOUND_SEEDS: u32 = 100;

#[test]
fn what_a_defect_replaces_is_in_core_exactly_once() {
    for defect in teeth::defects() {
        let path = teeth::root().join("core/src").join(defect.file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(defect.count(&text), 1, "{}: {}", defect.file, defect.original);
    }
}

#[test]
fn every_planted_defect_is_found() {
    let program = build();
    let sound = run(&program, None, SOUND_SEEDS);
    assert!(sound.status.success(), "{}", text(&sound.stdout));
    let mut missed = vec![];
    println!("| defect | found by seed | which broke |\n|---|---|---|");
    for (nth, defect) in teeth::defects().enumerate() {
        let output = run(&program, Some(nth), SEEDS);
        let report = text(&output.stdout);
        let found = report.lines().find_map(|line| line.strip_prefix("seed ")?.split_once(':'));
        let (seed, rule) = found.unwrap_or(("none", ""));
        println!("| {} | {seed} |{rule} |", defect.name);
        if found.is_none() {
            missed.push(defect.name);
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:#?}");
}

/// Builds the copy of the workspace in which every guard can be left out. `--workspace`, and
/// `--examples`, of which there are none, have it take the features that all tests together need:
/// so the dependencies are those that are built already.
fn build() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("teeth");
    std::fs::create_dir_all(&folder).unwrap();
    teeth::plant(&teeth::root(), &folder).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--workspace", "--examples", "--bin", teeth::PROGRAM])
        .arg("--target-dir")
        .arg(target)
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    target.join("debug").join(teeth::PROGRAM)
}

fn run(program: &Path, planted: Option<usize>, seeds: u32) -> Output {
    let mut command = Command::new(program);
    // The first seed is a large one, and most defects need none.
    command.args(["--brief", "--from", "1", "--seeds", &seeds.to_string()]);
    match planted {
        Some(nth) => command.env(teeth::VARIABLE, nth.to_string()),
        None => command.env_remove(teeth::VARIABLE),
    };
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
