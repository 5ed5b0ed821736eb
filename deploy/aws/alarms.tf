locals {
  alarm_period_seconds = 60

  # The functions that set something aside as a dead letter of the app.
  letter_writers = toset([for key, function in local.functions : key if contains(["commands", "projection", "saga"], function.kind)])
}

# What no function could handle, and not even set aside as a dead letter.
resource "aws_cloudwatch_metric_alarm" "dead" {
  for_each = local.dead

  alarm_name          = "${local.names[each.key]}-dead"
  alarm_description   = "Messages of ${each.key} are in its dead-letter queue: see the log of ${each.key}, mend it, and start a redrive."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

# Dead letters of the app: each says so in the log.
resource "aws_cloudwatch_log_metric_filter" "letters" {
  for_each = local.letter_writers

  name           = "${local.names[each.key]}-letters"
  log_group_name = aws_cloudwatch_log_group.function[each.key].name
  pattern        = "\"set aside\""

  metric_transformation {
    namespace     = "Skyfold/${local.name}"
    name          = "${each.key}-letters"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "letters" {
  for_each = local.letter_writers

  alarm_name          = "${local.names[each.key]}-letters"
  alarm_description   = "${each.key} has set something aside: `dead-letters list` shows what, and why."
  namespace           = "Skyfold/${local.name}"
  metric_name         = aws_cloudwatch_log_metric_filter.letters[each.key].metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "relay_behind" {
  for_each = local.relays

  alarm_name          = "${local.names[each.key]}-behind"
  alarm_description   = "Recorded events are not announced: every view falls behind."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.behind_seconds_max * 1000
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "consumer_behind" {
  for_each = local.consumers

  alarm_name          = "${local.names[each.key]}-behind"
  alarm_description   = "What ${each.key} hears waits to be handled."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.heard[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.behind_seconds_max
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.functions

  alarm_name          = "${local.names[each.key]}-errors"
  alarm_description   = "Calls of ${each.key} fail."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.functions

  alarm_name          = "${local.names[each.key]}-throttles"
  alarm_description   = "Calls of ${each.key} are turned away: the account has no more instances."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "tables" {
  for_each = {
    for pair in setproduct(["events", "documents", "keys"], ["ReadThrottleEvents", "WriteThrottleEvents"]) :
    "${pair[0]}-${pair[1]}" => { table = pair[0], metric = pair[1] }
  }

  alarm_name          = "${local.name}-${each.value.table}-${each.value.metric}"
  alarm_description   = "The table of ${each.value.table} turns requests away."
  namespace           = "AWS/DynamoDB"
  metric_name         = each.value.metric
  dimensions          = { TableName = "${local.name}-${each.value.table}" }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}

resource "aws_cloudwatch_metric_alarm" "api" {
  alarm_name          = "${local.name}-api-5xx"
  alarm_description   = "The API fails to answer."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.http.id }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = local.alarm_period_seconds
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topics
  ok_actions          = var.alarm_topics
}
