//! What every file keeps to.

use tidy::{files, root, sources};

/// How many lines a file may have, its tests included.
const FILE_LINES_MAX: usize = 400;

/// How many lines a function may have.
const FUNCTION_LINES_MAX: usize = 70;

/// How many columns a line may have.
const COLUMNS_MAX: usize = 100;

/// The folders of the project's own code.
const CODE: [&str; 4] = ["core", "adapters", "apps", "tests"];

#[test]
fn a_file_has_one_subject_and_no_more_lines_than_that_takes() {
    for source in CODE.into_iter().flat_map(sources) {
        let lines = source.text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", source.path.display());
    }
}

#[test]
fn a_line_ends_at_column_100() {
    for source in CODE.into_iter().flat_map(sources) {
        // What is quoted of core, word for word, stands in one line.
        if source.path.starts_with("tests/simulation/src/teeth") {
            continue;
        }
        for (nth, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            let place = format!("{}:{}", source.path.display(), nth + 1);
            assert!(columns <= COLUMNS_MAX, "{place} has {columns} columns");
            assert_eq!(line.trim_end(), line, "{place} ends in blanks");
        }
    }
}

#[test]
fn a_function_fits_a_screen() {
    for source in CODE.into_iter().flat_map(sources) {
        let mut begin: Option<(usize, usize)> = None;
        for (nth, line) in source.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let is_fn = ["fn ", "pub fn ", "async fn ", "pub(crate) fn ", "pub async fn "]
                .iter()
                .chain(&["pub(crate) async fn ", "const fn ", "pub const fn ", "pub(super) fn "])
                .any(|start| words.starts_with(start));
            if begin.is_none() && is_fn && !line.trim_end().ends_with(';') {
                begin = Some((nth, indent));
            }
            let Some((first, depth)) = begin else { continue };
            let ends = indent == depth && (words == "}" || words.ends_with(';'));
            if ends || (nth == first && words.ends_with('}')) {
                let place = format!("{}:{}", source.path.display(), first + 1);
                let lines = nth - first + 1;
                assert!(lines <= FUNCTION_LINES_MAX, "the function at {place} has {lines} lines");
                begin = None;
            }
        }
    }
}

#[test]
fn nothing_that_ships_is_unfinished_or_panics_on_what_it_is_given() {
    let ships = ["core/src", "adapters", "apps"];
    let ships = ships.into_iter().flat_map(sources);
    let ships = ships.filter(|source| source.path.components().all(|c| c.as_os_str() != "tests"));
    for source in ships {
        let kit = source.path.starts_with("core/src/testing");
        for (nth, line) in source.shipped().lines().enumerate() {
            let is_doc = line.trim_start().starts_with("//");
            let place = format!("{}:{}", source.path.display(), nth + 1);
            for word in ["todo!", "unimplemented!", "FIXME", "dbg!", "TODO"] {
                assert!(!line.contains(word), "{place} says {word}");
            }
            for word in [".unwrap()", "panic!("] {
                assert!(is_doc || kit || !line.contains(word), "{place} says {word}");
            }
        }
    }
}

#[test]
fn no_file_names_a_path_of_the_machine_that_it_was_written_on() {
    let own = "tests/tidy/tests/style.rs";
    for source in files(".").iter().filter(|source| !source.path.ends_with(own)) {
        for folder in ["/work/", "/root/", "/home/", "/farm/"] {
            let named = source.text.contains(folder) && !source.path.ends_with("Cargo.lock");
            assert!(!named, "{} names {folder}", source.path.display());
        }
    }
}

#[test]
fn dependencies_are_in_alphabetical_order() {
    for source in files(".").iter().filter(|source| source.path.ends_with("Cargo.toml")) {
        let (mut last, mut lists) = (None, false);
        for line in source.text.lines() {
            if line.starts_with('[') {
                lists = line.ends_with("dependencies]");
            }
            if !lists || line.is_empty() || line.starts_with(['#', '[']) {
                last = None;
                continue;
            }
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            let place = source.path.display();
            assert!(last.is_none_or(|last| last < name), "{place}: {name} is out of order");
            last = Some(name);
        }
    }
}

#[test]
fn every_crate_has_a_front_page() {
    let manifests = files(".");
    let manifests = manifests.iter().filter(|source| source.path.ends_with("Cargo.toml"));
    for manifest in manifests.filter(|manifest| manifest.text.contains("[package]")) {
        let folder = manifest.path.parent().unwrap_or(&manifest.path);
        let library = root().join(folder).join("src/lib.rs");
        if let Ok(text) = std::fs::read_to_string(&library) {
            let has_page = text.starts_with("//!") || text.starts_with("#![doc = include_str!");
            assert!(has_page, "{} has no front page", folder.display());
        }
    }
}
