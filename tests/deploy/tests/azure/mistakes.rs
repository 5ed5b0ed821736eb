use deploy::{Impossible, Mistake, Refused, Tools, are_impossible, are_refused};

use crate::{ANSWERS, copy, copy_of};

const MISTAKES: [Mistake; 10] = [
    // A misspelt argument.
    ("bus.tf", "input_schema        =", "input_form          =", "\"input_form\" is not expected"),
    // A misspelt block.
    ("bus.tf", "  retry_policy {", "  retries {", "\"retries\" are not expected"),
    // A required argument that is missing.
    ("apps.tf", "  os_type             = \"Linux\"\n", "", "\"os_type\" is required"),
    // A required block that is missing.
    ("databases.tf", CONSISTENCY, "", "At least 1 \"consistency_policy\" blocks are required"),
    // A value of the wrong type.
    (
        "apps.tf",
        "https_only                                     = true",
        ONLY,
        "a bool is required",
    ),
    // A value that is none of those there are.
    ("databases.tf", "\"Session\"", "\"Season\"", "consistency_level"),
    // A reference to what is not there.
    ("bus.tf", "azurerm_storage_container.dead.name", "azurerm_storage_container.died.name", GONE),
    // An attribute that is not there.
    (
        "outputs.tf",
        "azurerm_storage_container.dead.url",
        "azurerm_storage_container.dead.address",
        "attribute named \"address\"",
    ),
    // A value that only the cloud decides.
    ("bus.tf", "  local_auth_enabled  = false", "  endpoint = \"e\"", "unconfigurable attribute"),
    // A variable that nobody declares.
    ("bus.tf", "var.attempts_max", "var.attempt_max", GONE),
];

const ONLY: &str = "https_only                                     = \"always\"";
const GONE: &str = "has not been declared";
const CONSISTENCY: &str = "  consistency_policy {\n    consistency_level = \"Session\"\n  }\n";

pub(crate) fn refused(tools: &Tools) {
    are_refused(&MISTAKES, copy, tools);
}

/// Variables, and what is said against them.
const VARIABLES: [Impossible; 7] = [
    (&[], "Either say whose tokens callers bring"),
    (&[("is_public", "true"), ("attempts_max", "31")], "1 to 30 times"),
    (&[("is_public", "true"), ("log_filter", "error")], "log `warn` at least"),
    (&[("is_public", "true"), ("name", "our-long-name")], "1 to 9 of a-z"),
    (&[("is_public", "true"), ("throughput", "{ data = 400, keys = 1000 }")], "multiple of that"),
    (&[("is_public", "true"), ("queued_max", "0")], "1 or more"),
    (&[("is_public", "true"), ("memory_mb", "1024")], "512, 2048 or 4096 MB"),
];

pub(crate) fn variables(tools: &Tools) {
    are_impossible(&VARIABLES, copy, |copy| copy.apply_with(tools, ANSWERS));
    let mut manifest = order::app().manifest();
    manifest.functions[0].name = "sales.2".to_owned();
    manifest.functions[1].name = "sales--2".to_owned();
    let copy = copy_of("alike", &manifest).with("is_public", "true");
    let Err(Refused(said)) = copy.apply_with(tools, ANSWERS) else { panic!("two have one name") };
    assert!(said.contains("Two functions have the same name"), "{said}");
    let mut manifest = order::app().manifest();
    let consumer = manifest.functions.iter_mut().find(|function| !function.hears.is_empty());
    consumer.unwrap().name =
        "summary-of-all-that-was-ever-ordered-and-paid-or-sent-back-again".to_owned();
    let copy = copy_of("long", &manifest).with("is_public", "true");
    let Err(Refused(said)) = copy.apply_with(tools, ANSWERS) else { panic!("it is too long") };
    assert!(said.contains("named with 64 characters at most"), "{said}");
}
