# What is on its way: commands in a queue, and events that nobody could be given.
resource "azurerm_storage_account" "messages" {
  #checkov:skip=CKV_AZURE_33:Each message taken is in the log of the functions; a log of each look at the queue would cost more than the queue.
  #checkov:skip=CKV_AZURE_59:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.
  #checkov:skip=CKV_AZURE_206:It is kept in three zones of the region; the app is in that region alone.
  #checkov:skip=CKV2_AZURE_1:Personal data are sealed before they reach the account; the service encrypts the rest with keys of its own.
  #checkov:skip=CKV2_AZURE_33:The functions have no network of their own, which would cost by the hour.

  name                            = "${local.plain}msgs${local.mark}"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_tier                    = "Standard"
  account_replication_type        = "ZRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  local_user_enabled              = false
  allow_nested_items_to_be_public = false
  default_to_oauth_authentication = true
  tags                            = local.tags

  blob_properties {
    delete_retention_policy {
      days = 7
    }
  }
}

# The host of Functions puts what came too often into the queue of that name with `-poison`. What
# is there already it leaves there (`CreatePoisonQueueReference` of the host's source).
resource "azurerm_storage_queue" "this" {
  for_each = toset(["commands", "commands-poison"])

  name               = each.key
  storage_account_id = azurerm_storage_account.messages.id
}

# What Event Grid could not deliver.
resource "azurerm_storage_container" "dead" {
  #checkov:skip=CKV2_AZURE_21:An alert tells of each event that comes here.

  name               = "dead-letters"
  storage_account_id = azurerm_storage_account.messages.id
}

resource "azurerm_eventgrid_topic" "events" {
  #checkov:skip=CKV_AZURE_106:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.
  #checkov:skip=CKV_AZURE_193:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.

  name                = "${local.name}-events-${local.mark}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  input_schema        = "CloudEventSchemaV1_0"
  local_auth_enabled  = false
  tags                = local.tags

  identity {
    type = "SystemAssigned"
  }
}

# Each projection and saga hears the streams of its categories: `order-42` is one of `order`.
resource "azurerm_eventgrid_event_subscription" "heard" {
  for_each = local.consumers

  name                  = local.subscriptions[each.key]
  scope                 = azurerm_eventgrid_topic.events.id
  event_delivery_schema = "CloudEventSchemaV1_0"

  azure_function_endpoint {
    function_id                       = "${azurerm_function_app_flex_consumption.this["consumers"].id}/functions/${local.names[each.key]}"
    max_events_per_batch              = 100
    preferred_batch_size_in_kilobytes = 512
  }

  # A match of this kind costs nothing, and one of the other as much as a delivery ("Event Grid
  # pricing": advanced matches).
  dynamic "subject_filter" {
    for_each = length(each.value.hears) == 1 ? each.value.hears : []

    content {
      subject_begins_with = "${subject_filter.value}-"
      case_sensitive      = true
    }
  }

  dynamic "advanced_filter" {
    for_each = length(each.value.hears) > 1 ? [each.value.hears] : []

    content {
      string_begins_with {
        # The same as `subject`, which is not among the keys of CloudEvents that can be filtered by
        # ("Understand event filtering for Event Grid subscriptions").
        key    = "partitionkey"
        values = [for category in advanced_filter.value : "${category}-"]
      }
    }
  }

  retry_policy {
    max_delivery_attempts = var.attempts_max
    # A day in minutes, which is the longest.
    event_time_to_live = 1440
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.messages.id
    storage_blob_container_name = azurerm_storage_container.dead.name
  }

  dead_letter_identity {
    type = "SystemAssigned"
  }

  # A function is there once its package is.
  depends_on = [azurerm_role_assignment.dead, terraform_data.published]

  lifecycle {
    precondition {
      condition     = length(local.subscriptions[each.key]) <= 64
      error_message = "A subscription of Event Grid is named with 64 characters at most, and ${local.subscriptions[each.key]} has more: choose a shorter name."
    }
  }
}
