use deploy::{Refused, Tools};

use crate::copy;

/// A mistake: in which file, what it says, what it is spoiled to, and what Terraform says to that.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

const MISTAKES: [Mistake; 10] = [
    // A misspelt argument.
    (
        "functions.tf",
        "  package_type     =",
        "  package_kind     =",
        "\"package_kind\" is not expected",
    ),
    // A misspelt block.
    ("functions.tf", "  scaling_config {", "  scaling {", "\"scaling\" are not expected"),
    // A required argument that is missing.
    (
        "functions.tf",
        "  function_name    = local.names[each.key]\n",
        "",
        "\"function_name\" is required",
    ),
    // A required block that is missing.
    ("alarms.tf", TRANSFORMATION, "", "At least 1 \"metric_transformation\" blocks are required"),
    // A value of the wrong type.
    (
        "functions.tf",
        "batch_size              = 10",
        "batch_size              = \"ten\"",
        "a number is required",
    ),
    // A value that is none of those there are.
    ("functions.tf", "architectures    = [\"arm64\"]", "architectures    = [\"arm\"]", "arm64"),
    // A reference to what is not there.
    (
        "alarms.tf",
        "QueueName = aws_sqs_queue.dead[",
        "QueueName = aws_sqs_queue.died[",
        "has not been declared",
    ),
    // An attribute that is not there.
    (
        "outputs.tf",
        "aws_apigatewayv2_api.http.api_endpoint",
        "aws_apigatewayv2_api.http.address",
        "attribute named \"address\"",
    ),
    // A value that only the cloud decides.
    (
        "tables.tf",
        "  description             =",
        "  arn                     = \"arn\"\n  description             =",
        "Value for unconfigurable attribute",
    ),
    // A variable that nobody declares.
    ("bus.tf", "var.receives_max", "var.receive_max", "has not been declared"),
];

const TRANSFORMATION: &str = r#"
  metric_transformation {
    namespace     = "Skyfold/${local.name}"
    name          = "${each.key}-letters"
    value         = "1"
    default_value = "0"
  }
"#;

pub(crate) fn refused(tools: &Tools) {
    for (nth, (file, from, to, expected)) in MISTAKES.into_iter().enumerate() {
        let copy = copy(&format!("mistake-{nth}"));
        copy.spoil(file, from, to);
        let Err(Refused(said)) = copy.validate(tools) else { panic!("accepted: {to}") };
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(expected), "{to}: {said}");
    }
}

/// Variables, and what is said against them.
const VARIABLES: [(&[(&str, &str)], &str); 3] = [
    (&[], "Either say who signs the callers' tokens"),
    (&[("is_public", "true"), ("log_days", "31"), ("receives_max", "5")], "31 to 1,000 times"),
    (
        &[("is_public", "true"), ("provisioned_concurrency", "{ orders = 1 }")],
        "There is no such function",
    ),
];

pub(crate) fn variables(tools: &Tools) {
    for (nth, (variables, expected)) in VARIABLES.into_iter().enumerate() {
        let copy = copy(&format!("variables-{nth}"));
        let copy = variables.iter().fold(copy, |copy, (name, value)| copy.with(name, value));
        let Err(Refused(said)) = copy.apply(tools) else { panic!("accepted: {variables:?}") };
        assert!(said.contains(expected), "{variables:?}: {said}");
    }
}
