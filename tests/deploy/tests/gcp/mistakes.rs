use deploy::{Impossible, Mistake, Refused, Tools, are_impossible, are_refused};

use crate::{copy, copy_of};

const MISTAKES: [Mistake; 11] = [
    // A misspelt argument.
    (
        "databases.tf",
        "  point_in_time_recovery_enablement = \"POINT_IN_TIME_RECOVERY_ENABLED\"",
        "  recovery = \"POINT_IN_TIME_RECOVERY_ENABLED\"",
        "\"recovery\" is not expected",
    ),
    // A misspelt block.
    ("bus.tf", "  dead_letter_policy {", "  dead_letters {", "\"dead_letters\" are not expected"),
    // A required argument that is missing.
    ("bus.tf", "  topic                      = each.value.topic\n", "", "\"topic\" is required"),
    // A required block that is missing.
    ("bus.tf", DESTINATION, "", "At least 1 \"destination\" blocks are required"),
    // A value of the wrong type.
    ("bus.tf", "max_doublings = 10", "max_doublings = \"ten\"", "a number is required"),
    // A reference to what is not there.
    (
        "iam.tf",
        "google_pubsub_topic.dead[each.key].id",
        "google_pubsub_topic.died[each.key].id",
        "has not been declared",
    ),
    // An attribute that is not there.
    (
        "outputs.tf",
        "google_cloud_run_v2_service.asked[\"api\"].uri",
        "google_cloud_run_v2_service.asked[\"api\"].address",
        "attribute named \"address\"",
    ),
    // A value that only the cloud decides.
    (
        "bus.tf",
        "  location = var.region\n\n  rate_limits",
        "  location = var.region\n  id = \"x\"\n  state = \"RUNNING\"\n\n  rate_limits",
        "alue for unconfigurable attribute",
    ),
    // A variable that nobody declares.
    (
        "bus.tf",
        "max_delivery_attempts = var.attempts_max",
        "max_delivery_attempts = var.attempt_max",
        "has not been declared",
    ),
    // A local value that nobody makes.
    (
        "services.tf",
        "local.tokens[each.key]",
        "local.token[each.key]",
        "A local value with the name \"token\" has not been declared",
    ),
    // A block too many.
    (
        "alerts.tf",
        "  documentation {",
        "  documentation {\n    content = \"twice\"\n  }\n\n  documentation {",
        "No more than 1 \"documentation\" blocks",
    ),
];

const DESTINATION: &str = r#"
  destination {
    cloud_run_service {
      service = google_cloud_run_v2_service.delivered[each.key].name
      region  = var.region
      path    = "/deliveries/commits"
    }
  }
"#;

pub(crate) fn refused(tools: &Tools) {
    are_refused(&MISTAKES, copy, tools);
}

/// Variables, and what is said against them.
const VARIABLES: [Impossible; 6] = [
    (&[], "Either say who may call"),
    (&[("is_public", "true"), ("attempts_max", "5")], "31 to 100 times"),
    (&[("is_public", "true"), ("warm_instances", "{ orders = 1 }")], "There is no such function"),
    (&[("is_public", "true"), ("name", "our")], "A name is a letter"),
    (&[("callers", "[\"allUsers\"]")], "not everybody"),
    (&[("is_public", "true"), ("image", "order")], "its digest or tag"),
];

pub(crate) fn variables(tools: &Tools) {
    are_impossible(&VARIABLES, copy, |copy| copy.apply(tools));
    let mut manifest = order::app().manifest();
    manifest.functions[0].name = "x".repeat(50);
    let copy = copy_of("long", &manifest).with("is_public", "true");
    let Err(Refused(said)) = copy.apply(tools) else { panic!("a service has a name too long") };
    assert!(said.contains("49 letters at most"), "{said}");
}
