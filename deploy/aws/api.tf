resource "aws_apigatewayv2_api" "http" {
  name          = local.name
  description   = "The app ${local.app}"
  protocol_type = "HTTP"
}

# Which function is asked: the category's for a command and a stream, the query's for a question,
# and `api` for all the rest, which only reads.
locals {
  routes = merge(
    { "$default" = "api" },
    { for category in local.commands : "POST /${category}/{id}/{command}" => category },
    { for category in local.commands : "GET /${category}/{id}" => category },
    { for query in local.queries : "GET /${query}" => query },
    { for query in local.queries : "POST /${query}" => query },
  )
  asked = toset(values(local.routes))
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = local.asked

  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live[each.key].arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "function" {
  for_each = local.routes

  api_id               = aws_apigatewayv2_api.http.id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.function[each.value].id}"
  authorization_type   = var.jwt == null ? "NONE" : "JWT"
  authorizer_id        = one(aws_apigatewayv2_authorizer.jwt[*].id)
  authorization_scopes = try(var.jwt.scopes, null)
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.http.id
  name             = "${local.name}-jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.requests_per_second
    throttling_burst_limit   = var.requests_at_once
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn

    # No query string and no body: they may hold personal data.
    format = jsonencode({
      requestId = "$context.requestId"
      at        = "$context.requestTime"
      route     = "$context.routeKey"
      status    = "$context.status"
      millis    = "$context.responseLatency"
      error     = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_cloudwatch_log_group" "api" {
  #checkov:skip=CKV_AWS_158:No query string and no body is logged; the service encrypts the rest.
  #checkov:skip=CKV_AWS_338:How long is a variable; logs are for mending, the events are the record.

  name              = "/aws/apigateway/${local.name}"
  retention_in_days = var.log_days
}

resource "aws_lambda_permission" "api" {
  for_each = local.asked

  statement_id  = "TheApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  qualifier     = aws_lambda_alias.live[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*/*"
}
