use deploy::{Impossible, Mistake, Tools, are_impossible, are_refused};

use crate::copy;

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
    are_refused(&MISTAKES, copy, tools);
}

/// Variables, and what is said against them.
const VARIABLES: [Impossible; 3] = [
    (&[], "Either say who signs the callers' tokens"),
    (&[("is_public", "true"), ("log_days", "31"), ("receives_max", "5")], "31 to 1,000 times"),
    (
        &[("is_public", "true"), ("provisioned_concurrency", "{ orders = 1 }")],
        "There is no such function",
    ),
];

pub(crate) fn variables(tools: &Tools) {
    are_impossible(&VARIABLES, copy, |copy| copy.apply(tools));
}
