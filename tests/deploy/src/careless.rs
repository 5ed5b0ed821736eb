use std::fs;

use crate::tools::root;
use crate::{Copy, Refused, Tools};

/// How many letters an explanation has at least.
const REASON_LETTERS_MIN: usize = 30;

/// What is careless: in which file, what it says, what it is spoiled to, and the check of checkov
/// that notices.
pub type Careless = (&'static str, &'static str, &'static str, &'static str);

/// Whether each check that is left out in the folder `deploy/{target}` is explained where it is.
///
/// # Panics
///
/// If one is not, or if none is left out, which then is no longer looked for in the right place.
///
/// ```
/// deploy::assert_explained("gcp");
/// ```
pub fn assert_explained(target: &str) {
    let files = fs::read_dir(root().join("deploy").join(target)).expect("the folder is there");
    let files = files.map(|file| file.expect("the folder can be read").path());
    let mut count = 0;
    for file in files.filter(|path| path.extension().is_some_and(|end| end == "tf")) {
        let text = fs::read_to_string(file).expect("the file can be read");
        for (_, skip) in text.lines().filter_map(|line| line.split_once("skip=")) {
            let (check, reason) = skip.split_once(':').expect("a reason follows the check");
            assert!(reason.len() >= REASON_LETTERS_MIN, "{check} is left out without a reason");
            count += 1;
        }
    }
    assert!(count > 0, "what is left out is said where it is");
}

/// Spoils `copy` in all these ways, and has each noticed.
///
/// # Panics
///
/// If one is not.
pub fn assert_noticed(copy: &Copy, careless: &[Careless], checkov: &Tools) {
    for (file, from, to, _) in careless {
        copy.spoil(file, from, to);
    }
    let Err(Refused(said)) = copy.scan(checkov) else { panic!("nothing was noticed") };
    for (_, _, to, check) in careless {
        assert!(said.contains(&format!("{check}:")), "{to}: {said}");
    }
}
