//! `GUARANTEES.md` says nothing that no test shows.

use std::fs;

use tidy::{root, sources};

/// What every guarantee says of itself, in this order.
const PARTS: [&str; 2] = ["Shown by ", "Not: "];

#[test]
fn every_guarantee_names_its_tests_and_its_limits() {
    for guarantee in guarantees() {
        let mut rest = guarantee.as_str();
        for part in PARTS {
            let (_, after) = rest.split_once(part).unwrap_or_else(|| {
                panic!("this guarantee has no {part:?}:\n{guarantee}");
            });
            rest = after;
        }
    }
}

#[test]
fn every_test_that_a_guarantee_names_exists() {
    let tests: Vec<_> =
        ["tests", "core", "adapters", "apps"].into_iter().flat_map(sources).collect();
    for guarantee in guarantees() {
        let (_, after) = guarantee.split_once(PARTS[0]).unwrap();
        let (shown, _) = after.split_once(PARTS[1]).unwrap();
        let names: Vec<_> = names(shown).collect();
        assert!(!names.is_empty(), "no test is named:\n{guarantee}");
        for name in names {
            let (group, case) = name.rsplit_once("::").unwrap_or(("", name));
            let group = group.rsplit("::").next().unwrap_or_default();
            let is_there = tests.iter().any(|source| {
                let is_group = source.path.file_stem().is_some_and(|stem| *stem == *group);
                (group.is_empty() || is_group) && source.text.contains(&format!("fn {case}("))
            });
            assert!(is_there, "there is no test {name}, named in:\n{guarantee}");
        }
    }
}

/// The bullets of the document.
fn guarantees() -> Vec<String> {
    let text = fs::read_to_string(root().join("GUARANTEES.md")).expect("it can be read");
    let sections = text.split("\n## ").skip(1);
    let bullets = sections.flat_map(|section| section.split("\n- ").skip(1));
    let bullets: Vec<_> =
        bullets.map(|b| b.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(bullets.len() > 10, "the document is there");
    bullets
}

/// What is quoted in `text` and is no path.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|quoted| !quoted.contains(['/', '.']))
}
