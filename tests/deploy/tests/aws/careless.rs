use deploy::{Refused, Tools};

use crate::copy;

/// How many letters an explanation has at least.
const REASON_LETTERS_MIN: usize = 30;

pub(crate) fn explained(checkov: &Tools) {
    copy("explained").scan(checkov).unwrap();
    let skips = ["functions.tf", "api.tf", "tables.tf"].map(|name| {
        std::fs::read_to_string(format!("{}/../../deploy/aws/{name}", env!("CARGO_MANIFEST_DIR")))
    });
    let skips: Vec<_> = skips.into_iter().map(Result::unwrap).collect();
    let skips = skips.iter().flat_map(|text| text.lines()).filter(|line| line.contains("skip="));
    let mut count = 0;
    for skip in skips {
        let (_, check) = skip.split_once("skip=").unwrap();
        let (check, reason) = check.split_once(':').unwrap();
        assert!(reason.len() >= REASON_LETTERS_MIN, "{check} is left out without a reason");
        count += 1;
    }
    assert!(count > 0, "what is left out is said where it is");
}

/// In which file, what it says, what it is spoiled to, and the check that notices.
const CARELESS: [(&str, &str, &str, &str); 2] = [
    // Of the queues of what could not be handled.
    (
        "bus.tf",
        "  sqs_managed_sse_enabled   = true",
        "  sqs_managed_sse_enabled   = false",
        "CKV_AWS_27",
    ),
    ("tables.tf", "enable_key_rotation     = true", "enable_key_rotation     = false", "CKV_AWS_7"),
];

pub(crate) fn noticed(checkov: &Tools) {
    let copy = copy("careless");
    for (file, from, to, _) in CARELESS {
        copy.spoil(file, from, to);
    }
    let Err(Refused(said)) = copy.scan(checkov) else { panic!("nothing was noticed") };
    for (_, _, to, check) in CARELESS {
        assert!(said.contains(&format!("{check}:")), "{to}: {said}");
    }
}
