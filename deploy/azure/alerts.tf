resource "azurerm_log_analytics_workspace" "this" {
  name                = local.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  retention_in_days   = var.log_days
  tags                = local.tags
}

resource "azurerm_application_insights" "this" {
  name                = local.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  workspace_id        = azurerm_log_analytics_workspace.this.id
  application_type    = "other"
  tags                = local.tags
}

locals {
  # What of the log tells that something is wrong.
  told = {
    letters = {
      says  = "Something was set aside: `dead-letters list` shows what, and why."
      query = "AppTraces | where Message contains 'set aside'"
    }
    # Whatever the program answers is a success to the host ("Application insights doesn't show
    # failed request").
    errors = {
      says  = "Calls over HTTP fail: AppRequests says of which function."
      query = "AppRequests | where toint(ResultCode) >= 500"
    }
    relay = {
      says  = "The relay does not announce what is recorded: every view falls behind."
      query = "AppRequests | where Success == false and OperationName in (${join(", ", [for name in local.relays : "'${name}'"])})"
    }
    behind = {
      says  = "Projections or sagas are behind, by a minute or more: the sweep has announced events to them again."
      query = "AppTraces | where Message contains 'announced again'"
    }
    waited = {
      says  = "Commands wait too long in their queue: there are too many, or they fail again and again."
      query = "AppTraces | where Message contains 'waited too long'"
    }
  }

  # The functions that announce what was recorded, as the log names them.
  relays = [for key, function in local.functions : local.names[key] if function.kind == "relay"]

  # What services tell of themselves.
  measured = {
    undelivered = {
      says      = "Event Grid has given up on events: they are in the container dead-letters."
      scope     = azurerm_eventgrid_topic.events.id
      namespace = "Microsoft.EventGrid/topics"
      metric    = "DeadLetteredCount"
      total     = "Total"
      above     = 0
    }
    dropped = {
      says      = "Event Grid has lost events, which it could not keep either: redeliver what was recorded since."
      scope     = azurerm_eventgrid_topic.events.id
      namespace = "Microsoft.EventGrid/topics"
      metric    = "DroppedEventCount"
      total     = "Total"
      above     = 0
    }
    slow = {
      says      = "The account of data answers more slowly than a command should take."
      scope     = azurerm_cosmosdb_account.this["data"].id
      namespace = "Microsoft.DocumentDB/databaseAccounts"
      metric    = "ServerSideLatencyGateway"
      total     = "Average"
      above     = 500
    }
    refused = {
      says       = "The account of data has refused requests, since there were too many at once."
      scope      = azurerm_cosmosdb_account.this["data"].id
      namespace  = "Microsoft.DocumentDB/databaseAccounts"
      metric     = "TotalRequests"
      total      = "Count"
      above      = 100
      dimensions = { StatusCode = ["429"] }
    }
    unannounced = {
      says      = "Event Grid does not take what the relay announces: every view falls behind."
      scope     = azurerm_eventgrid_topic.events.id
      namespace = "Microsoft.EventGrid/topics"
      metric    = "PublishFailCount"
      total     = "Total"
      above     = 0
    }
    # Counted once a day, and told by the hour ("Azure Queue Storage monitoring data reference",
    # capacity metrics): `waited` tells sooner.
    queued = {
      says      = "Commands have piled up in their queue, for up to a day: a saga asks for more than is done."
      scope     = "${azurerm_storage_account.messages.id}/queueServices/default"
      namespace = "Microsoft.Storage/storageAccounts/queueServices"
      metric    = "QueueMessageCount"
      total     = "Average"
      above     = var.queued_max
      window    = "PT1H"
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "told" {
  for_each = local.told

  name                 = "${local.name}-${each.key}"
  resource_group_name  = azurerm_resource_group.this.name
  location             = azurerm_resource_group.this.location
  description          = each.value.says
  scopes               = [azurerm_log_analytics_workspace.this.id]
  severity             = 2
  evaluation_frequency = "PT5M"
  window_duration      = "PT5M"
  # The tables are there once the first line has come.
  skip_query_validation = true
  tags                  = local.tags

  criteria {
    query                   = each.value.query
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = var.action_groups
  }
}

resource "azurerm_monitor_metric_alert" "measured" {
  for_each = local.measured

  name                = "${local.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  description         = each.value.says
  scopes              = [each.value.scope]
  severity            = 2
  frequency           = "PT5M"
  window_size         = try(each.value.window, "PT5M")
  tags                = local.tags

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = each.value.total
    operator         = "GreaterThan"
    threshold        = each.value.above

    dynamic "dimension" {
      for_each = try(each.value.dimensions, {})

      content {
        name     = dimension.key
        operator = "Include"
        values   = dimension.value
      }
    }
  }

  dynamic "action" {
    for_each = var.action_groups

    content {
      action_group_id = action.value
    }
  }
}
