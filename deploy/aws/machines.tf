# A state machine for each saga, if they are asked for: an execution for each transaction, which
# ends when the transaction does. It looks, and changes nothing: what a transaction is to do, its
# records in the table of events say, and the saga's function sees to it, with or without this.
locals {
  machines = var.state_machines ? local.sagas : toset([])
}

resource "aws_sfn_state_machine" "saga" {
  #checkov:skip=CKV_AWS_285:The service itself keeps the history of each execution, for 90 days.

  for_each = local.machines

  name     = local.names[each.key]
  role_arn = aws_iam_role.machine[each.key].arn
  type     = "STANDARD"

  definition = jsonencode({
    Comment = "Watches a transaction of ${each.key} of ${local.app} until it has ended."
    StartAt = "Look"
    States = {
      Look = {
        Type     = "Task"
        Resource = "arn:aws:states:::lambda:invoke"
        Parameters = {
          FunctionName = aws_lambda_alias.live[each.key].arn
          Payload      = { "transaction.$" = "$.transaction" }
        }
        ResultSelector = {
          "hasEnded.$"    = "$.Payload.hasEnded"
          "version.$"     = "$.Payload.version"
          "waitSeconds.$" = "$.Payload.waitSeconds"
        }
        ResultPath = "$.seen"
        Retry = [
          {
            ErrorEquals = ["Skyfold.corrupt", "Skyfold.denied", "Skyfold.invalid", "Skyfold.not-found"]
            MaxAttempts = 0
          },
          {
            ErrorEquals     = ["States.ALL"]
            IntervalSeconds = 2
            BackoffRate     = 2
            MaxDelaySeconds = 300
            MaxAttempts     = 12
          },
        ]
        Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "Unseen" }]
        Next  = "HasEnded"
      }
      HasEnded = {
        Type    = "Choice"
        Choices = [{ Variable = "$.seen.hasEnded", BooleanEquals = true, Next = "Ended" }]
        Default = "Wait"
      }
      Wait   = { Type = "Wait", SecondsPath = "$.seen.waitSeconds", Next = "Look" }
      Ended  = { Type = "Succeed" }
      Unseen = { Type = "Fail", ErrorPath = "$.error.Error", CausePath = "$.error.Cause" }
    }
  })

  tracing_configuration {
    enabled = true
  }

  depends_on = [aws_iam_role_policy.machine]
}

# The relay announces that a transaction has begun. An announcement that comes twice starts two
# executions, which see the same.
resource "aws_cloudwatch_event_rule" "begun" {
  for_each = local.machines

  name           = "${local.names[each.key]}-begun"
  description    = "Transactions of ${each.key} that have begun"
  event_bus_name = aws_cloudwatch_event_bus.events.name

  event_pattern = jsonencode({
    source = [local.app]
    detail = { subject = [{ prefix = "saga.${each.key}-" }] }
  })
}

resource "aws_cloudwatch_event_target" "begun" {
  for_each = local.machines

  rule           = aws_cloudwatch_event_rule.begun[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.events.name
  arn            = aws_sfn_state_machine.saga[each.key].arn
  role_arn       = aws_iam_role.begun[each.key].arn

  input_transformer {
    input_paths    = { transaction = "$.detail.subject" }
    input_template = "{\"transaction\": <transaction>}"
  }
}

resource "aws_iam_role" "machine" {
  for_each = local.machines

  name        = "${local.names[each.key]}-machine-${local.region}"
  description = "What the state machine of ${each.key} of ${local.name} may do"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "machine" {
  for_each = local.machines

  name = "all"
  role = aws_iam_role.machine[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Look"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = [aws_lambda_alias.live[each.key].arn]
      },
      {
        # No part of X-Ray has a name to be granted by.
        Sid    = "Trace"
        Effect = "Allow"
        Action = [
          "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
        ]
        Resource = ["*"]
      },
    ]
  })
}

resource "aws_iam_role" "begun" {
  for_each = local.machines

  name        = "${local.names[each.key]}-begun-${local.region}"
  description = "Starts the state machine of ${each.key} of ${local.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "begun" {
  for_each = local.machines

  name = "all"
  role = aws_iam_role.begun[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Start"
      Effect   = "Allow"
      Action   = ["states:StartExecution"]
      Resource = [aws_sfn_state_machine.saga[each.key].arn]
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "unseen" {
  for_each = local.machines

  alarm_name          = "${local.names[each.key]}-unseen"
  alarm_description   = "A transaction of ${each.key} cannot be looked at: the execution says why. The transaction itself goes on without it."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = aws_sfn_state_machine.saga[each.key].arn }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
}
