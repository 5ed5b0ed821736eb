output "url" {
  description = "Where the app answers."
  value       = aws_apigatewayv2_api.http.api_endpoint
}

output "environment" {
  description = "What the program reads of the environment: for an operator's command line, without SKYFOLD_FUNCTION."
  value       = local.environment
}

output "functions" {
  description = "The function of Lambda that each function of the app and of the host is."
  value       = { for key, function in aws_lambda_function.this : key => function.function_name }
}

output "tables" {
  description = "The names of the tables."
  value = {
    events    = aws_dynamodb_table.events.name
    documents = aws_dynamodb_table.documents.name
    keys      = aws_dynamodb_table.keys.name
  }
}

output "queues" {
  description = "The URLs of the queues, by who takes them."
  value       = { for key, queue in aws_sqs_queue.heard : key => queue.url }
}

output "dead_letter_queues" {
  description = "The URLs of the queues of what could not be handled, by whom."
  value       = { for key, queue in aws_sqs_queue.dead : key => queue.url }
}

output "bus" {
  description = "The ARN of the event bus, for rules of others."
  value       = aws_cloudwatch_event_bus.events.arn
}
