use deploy::{Refused, Tools};

use crate::copy;

/// How many letters an explanation has at least.
const REASON_LETTERS_MIN: usize = 30;

pub(crate) fn explained(checkov: &Tools) {
    copy("explained").scan(checkov).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/gcp");
    let mut count = 0;
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|end| end == "tf")) {
        let text = std::fs::read_to_string(file).unwrap();
        for skip in text.lines().filter_map(|line| line.split_once("skip=")) {
            let (check, reason) = skip.1.split_once(':').unwrap();
            assert!(reason.len() >= REASON_LETTERS_MIN, "{check} is left out without a reason");
            count += 1;
        }
    }
    assert!(count > 0, "what is left out is said where it is");
}

pub(crate) fn noticed(checkov: &Tools) {
    let copy = copy("careless");
    let reason = "#checkov:skip=CKV_GCP_83:Personal data are sealed before they reach the topic; \
                  the service encrypts the rest with keys of its own.\n\n  for_each = local.pushed";
    copy.spoil("bus.tf", reason, "for_each = local.pushed");
    let Err(Refused(said)) = copy.scan(checkov) else { panic!("nothing was noticed") };
    assert!(said.contains("CKV_GCP_83:"), "{said}");
}
