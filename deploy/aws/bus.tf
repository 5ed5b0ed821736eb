resource "aws_cloudwatch_event_bus" "events" {
  name = local.name
}

# A projection or saga has a rule, a queue, and a queue for what nobody could handle.
resource "aws_cloudwatch_event_rule" "heard" {
  for_each = local.consumers

  name           = local.names[each.key]
  description    = "What ${each.key} hears"
  event_bus_name = aws_cloudwatch_event_bus.events.name

  # A stream is named `order-42`, and no category holds a dash.
  event_pattern = jsonencode({
    source = [local.app]
    detail = { subject = [for category in each.value.hears : { prefix = "${category}-" }] }
  })
}

resource "aws_cloudwatch_event_target" "heard" {
  for_each = local.consumers

  rule           = aws_cloudwatch_event_rule.heard[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.events.name
  arn            = aws_sqs_queue.heard[each.key].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead[each.key].arn
  }
}

locals {
  # Who hears, and the commands, and what the relay and the sweep could not do.
  queues = setunion(keys(local.consumers), ["commands"])
  dead   = setunion(local.queues, local.relays, ["sweep"])

  # Six times as long as a call may take ("Using Lambda with Amazon SQS": queue configuration).
  visibility_seconds = min(6 * var.timeout_seconds, 43200)

  # Two weeks: the longest.
  retention_seconds = 14 * 24 * 60 * 60
}

resource "aws_sqs_queue" "heard" {
  for_each = local.queues

  name                       = local.names[each.key]
  visibility_timeout_seconds = local.visibility_seconds
  message_retention_seconds  = local.retention_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = var.receives_max
  })
}

resource "aws_sqs_queue" "dead" {
  for_each = local.dead

  name                      = "${local.names[each.key]}-dead"
  message_retention_seconds = local.retention_seconds
  sqs_managed_sse_enabled   = true
}

# What the bus may put into the queues of a consumer: what its own rule lets through.
resource "aws_sqs_queue_policy" "heard" {
  for_each = local.consumers

  queue_url = aws_sqs_queue.heard[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheRule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.heard[each.key].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.heard[each.key].arn } }
    }]
  })
}

resource "aws_sqs_queue_policy" "dead" {
  for_each = local.consumers

  queue_url = aws_sqs_queue.dead[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheRule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead[each.key].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.heard[each.key].arn } }
    }]
  })
}

# A schedule looks for what the relay has missed.
resource "aws_cloudwatch_event_rule" "sweep" {
  name                = local.names["sweep"]
  description         = "Looks for what the relay of ${local.name} has missed"
  schedule_expression = "rate(${var.sweep_minutes} minutes)"
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = aws_lambda_alias.live["sweep"].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead["sweep"].arn
  }
}

resource "aws_sqs_queue_policy" "sweep" {
  queue_url = aws_sqs_queue.dead["sweep"].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheRule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead["sweep"].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.sweep.arn } }
    }]
  })
}
