# One program, and a function of Lambda for each function of the app and of the host: each has the
# rights of its own kind alone, its own log, alarms and number of instances.
resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:A limit for each function would take instances from the others; queues have one (consumers_at_once), the API has one (requests_per_second).
  #checkov:skip=CKV_AWS_116:Nothing calls these functions without waiting but the schedule, which has a queue for what fails; streams and queues have their own.
  #checkov:skip=CKV_AWS_117:They reach only services with public endpoints, over TLS; a network of their own would need paid gateways.
  #checkov:skip=CKV_AWS_173:The variables are names and an address, no secrets.
  #checkov:skip=CKV_AWS_272:Who signs is the business of whoever deploys; the zip is built by the project, and its hash is in the plan.

  for_each = local.functions

  function_name    = local.names[each.key]
  description      = "${local.app}: ${each.key} (${each.value.kind})"
  role             = aws_iam_role.function[each.key].arn
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  package_type     = "Zip"
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = ["arm64"]
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  publish          = true

  environment {
    variables = merge(
      local.environment,
      { SKYFOLD_FUNCTION = each.key },
      { for name, value in { SKYFOLD_STATE_MACHINES = "true" } : name => value if contains(local.announcers, each.key) },
    )
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  depends_on = [aws_iam_role_policy.function]
}

locals {
  # Who tells that a transaction has begun, if anybody wants to know.
  announcers = var.state_machines ? local.relays : toset([])

  # What the program reads: `Aws::from_environment`.
  environment = {
    SKYFOLD_EVENTS_TABLE    = aws_dynamodb_table.events.name
    SKYFOLD_DOCUMENTS_TABLE = aws_dynamodb_table.documents.name
    SKYFOLD_KEYS_TABLE      = aws_dynamodb_table.keys.name
    SKYFOLD_BUS             = aws_cloudwatch_event_bus.events.name
    SKYFOLD_QUEUE_URL       = aws_sqs_queue.heard["commands"].url
    SKYFOLD_FEED            = var.feed
    RUST_LOG                = var.log_filter
  }
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:Logs hold no personal data (no error quotes what was met), and are encrypted by the service.
  #checkov:skip=CKV_AWS_338:How long is a variable; logs are for mending, the events are the record.

  for_each = local.functions

  name              = "/aws/lambda/${local.names[each.key]}"
  retention_in_days = var.log_days
}

# What calls a function calls this, so that some of its instances can be kept warm, and a new
# program takes over at once.
resource "aws_lambda_alias" "live" {
  for_each = local.functions

  name             = "live"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_lambda_provisioned_concurrency_config" "warm" {
  for_each = var.provisioned_concurrency

  function_name                     = aws_lambda_function.this[each.key].function_name
  qualifier                         = aws_lambda_alias.live[each.key].name
  provisioned_concurrent_executions = each.value
}

# The relay takes the stream of the table. It is told of commits alone: a snapshot is no news.
resource "aws_lambda_event_source_mapping" "relay" {
  for_each = local.relays

  event_source_arn                   = aws_dynamodb_table.events.stream_arn
  function_name                      = aws_lambda_alias.live[each.key].arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 100
  parallelization_factor             = var.relays_at_once
  maximum_record_age_in_seconds      = var.relay_age_max_seconds
  maximum_retry_attempts             = -1
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]
  maximum_batching_window_in_seconds = 0

  filter_criteria {
    filter {
      pattern = jsonencode({
        eventName = ["INSERT"]
        dynamodb  = { Keys = { SK = { S = [{ anything-but = ["SNAP#"] }] } } }
      })
    }
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead[each.key].arn
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

# A consumer takes its queue, and `commands` the commands.
resource "aws_lambda_event_source_mapping" "queue" {
  for_each = local.queues

  event_source_arn        = aws_sqs_queue.heard[each.key].arn
  function_name           = aws_lambda_alias.live[each.key].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.consumers_at_once
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_permission" "sweep" {
  statement_id  = "TheSchedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["sweep"].function_name
  qualifier     = aws_lambda_alias.live["sweep"].name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}

# A sweep that fails is not repeated: the next one comes by the schedule.
resource "aws_lambda_function_event_invoke_config" "sweep" {
  function_name          = aws_lambda_function.this["sweep"].function_name
  qualifier              = aws_lambda_alias.live["sweep"].name
  maximum_retry_attempts = 0

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead["sweep"].arn
    }
  }
}
