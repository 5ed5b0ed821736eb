use std::collections::BTreeMap;

use deploy::{Copy, Refused, Resources, Tools};

use crate::{ANSWERS, APPS, app, copy};

/// The name of a file that a shell reads otherwise, unless it is quoted.
const PACKAGE: &str = "app's $(touch taken) \"1\".zip";

/// What `az` was asked, in the copy: a line each time.
const ASKED: &str = "asked";

pub(crate) fn everywhere(tools: &Tools) {
    let first = published("published", "a program", REFUSES_ONCE);
    let made = first.apply_with(tools, ANSWERS).unwrap();
    assert_eq!(asked(&first), commands(&first, &made, 2), "refused, and asked once more");
    assert_eq!(first.read("taken"), "", "a name is no command");
    let next = published("published-next", "another program", TAKES);
    let next = next.apply_with(tools, ANSWERS).unwrap();
    for name in APPS {
        let address = format!("terraform_data.published[\"{name}\"]");
        let [old, new] = [&made, &next].map(|made| &made.at(&address).values["triggers_replace"]);
        assert_eq!(old[0], new[0], "{name} is the same app");
        assert_ne!(old[1], new[1], "{name}: another package is published again");
    }
}

pub(crate) fn refused(tools: &Tools) {
    let copy = published("unpublished", "a program", REFUSES);
    let Err(Refused(said)) = copy.apply_with(tools, ANSWERS) else { panic!("nobody told") };
    assert!(said.contains("local-exec"), "{said}");
    assert!(asked(&copy).values().all(|times| *times == 5), "{:?}", asked(&copy));
    let copy = published("unwell", "a program", WAITS);
    let Err(Refused(_)) = copy.apply_with(tools, ANSWERS) else { panic!("nobody told") };
    assert!(asked(&copy).values().all(|times| *times == 1), "{:?}", asked(&copy));
}

/// What `az` does beside noting what it is asked: for each app it refuses the first time.
const REFUSES_ONCE: &str = "[ \"$known\" = 0 ]";
const TAKES: &str = "exit 0";
const REFUSES: &str = "exit 1";
/// As if it had waited for longer than it may.
const WAITS: &str = "exit 124";

/// A copy for the case `case` with `package`, where `az` does as `script` says, and nobody waits.
fn published(case: &str, package: &str, script: &str) -> Copy {
    let copy = copy(case).with("is_public", "true");
    let package = copy.write(PACKAGE, package);
    let asked = format!("\"${{0%/*}}/../{ASKED}\"");
    let notes = format!(
        "IFS='|'\n[ -e {asked} ] && grep -qxF \"$*\" {asked}\nknown=$?\necho \"$*\" >>{asked}"
    );
    let copy = copy.with("package", &package).with_program("sleep", "");
    copy.with_program("az", &format!("{notes}\n{script}"))
}

/// How often `az` was asked what.
fn asked(copy: &Copy) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for line in copy.read(ASKED).lines() {
        *asked.entry(line.to_owned()).or_default() += 1;
    }
    asked
}

/// That each function app is given the package of `copy`, so many `times`.
fn commands(copy: &Copy, made: &Resources, times: usize) -> BTreeMap<String, usize> {
    let package = copy.write(PACKAGE, "a program");
    let command = |name: &str| {
        let name = app(made, name)["name"].as_str().unwrap();
        let subscription = "11111111-2222-3333-4444-555555555555";
        let to = format!("--subscription|{subscription}|--resource-group|order|--name|{name}");
        let what = format!("--src|{package}|--output|none");
        format!("functionapp|deployment|source|config-zip|{to}|{what}")
    };
    APPS.map(|name| (command(name), times)).into()
}
