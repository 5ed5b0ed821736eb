resource "azurerm_resource_group" "this" {
  name     = local.name
  location = var.region
  tags     = local.tags
}

locals {
  accounts = {
    # Any moment of the last seven days can be restored, which costs nothing beside the restoring.
    data = { type = "Continuous", tier = "Continuous7Days", minutes = null, hours = null }

    # A backup cannot be switched off, and holds the keys of whoever was forgotten meanwhile: the
    # shortest that there is ("Periodic backup": two copies, eight hours).
    keys = { type = "Periodic", tier = null, minutes = 240, hours = 8 }
  }

  # As many as a projection may have lists.
  lists = [for nth in range(3) : "/l${nth}/?"]

  # As the adapter says: skyfold_azure::containers.
  containers = {
    events    = { account = "data", partition = "/s", indexed = ["/s/?", "/t/?"], ttl = null }
    documents = { account = "data", partition = "/p", indexed = concat(["/p/?"], local.lists), ttl = -1 }
    keys      = { account = "keys", partition = "/p", indexed = [], ttl = null }
    # How far the trigger of the relay is ("Azure Cosmos DB trigger": partitioned by /id). It locks the
    # container while it prepares it, with an item that is to expire: without a time to live here one
    # that was killed meanwhile would lock out all others for good (`DocumentServiceLeaseStoreCosmos`
    # of the SDK; azure-webjobs-sdk-extensions, issue 858).
    leases = { account = "data", partition = "/id", indexed = ["/*"], ttl = -1 }
  }
}

resource "azurerm_cosmosdb_account" "this" {
  #checkov:skip=CKV_AZURE_99:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.
  #checkov:skip=CKV_AZURE_100:Personal data are sealed before they reach the account; the service encrypts the rest with keys of its own.
  #checkov:skip=CKV_AZURE_140:It is off; the check looks for the name that the argument had before azurerm 5.
  #checkov:skip=CKV_AZURE_101:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.

  for_each = local.accounts

  name                               = "${local.name}-${each.key}-${local.mark}"
  resource_group_name                = azurerm_resource_group.this.name
  location                           = azurerm_resource_group.this.location
  offer_type                         = "Standard"
  kind                               = "GlobalDocumentDB"
  local_authentication_enabled       = false
  access_key_metadata_writes_enabled = false
  minimal_tls_version                = "Tls12"
  tags                               = local.tags

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = azurerm_resource_group.this.location
    failover_priority = 0
  }

  # Paid by request: nothing while nobody asks.
  dynamic "capabilities" {
    for_each = var.throughput == null ? ["EnableServerless"] : []

    content {
      name = capabilities.value
    }
  }

  backup {
    type                = each.value.type
    tier                = each.value.tier
    interval_in_minutes = each.value.minutes
    retention_in_hours  = each.value.hours
    storage_redundancy  = each.value.minutes == null ? null : "Local"
  }
}

# What is in an account inherits it ("Lock your Azure resources to protect your infrastructure").
resource "azurerm_management_lock" "this" {
  for_each = var.is_protected ? local.accounts : {}

  name       = "protected"
  scope      = azurerm_cosmosdb_account.this[each.key].id
  lock_level = "CanNotDelete"
  notes      = "It holds what cannot be made again: set is_protected to false first."
}

resource "azurerm_cosmosdb_sql_database" "this" {
  for_each = local.accounts

  name                = local.name
  resource_group_name = azurerm_resource_group.this.name
  account_name        = azurerm_cosmosdb_account.this[each.key].name

  # The containers of a database share it.
  dynamic "autoscale_settings" {
    for_each = var.throughput == null ? [] : [var.throughput[each.key]]

    content {
      max_throughput = autoscale_settings.value
    }
  }
}

resource "azurerm_cosmosdb_sql_container" "this" {
  for_each = local.containers

  name                  = each.key
  resource_group_name   = azurerm_resource_group.this.name
  account_name          = azurerm_cosmosdb_account.this[each.value.account].name
  database_name         = azurerm_cosmosdb_sql_database.this[each.value.account].name
  partition_key_paths   = [each.value.partition]
  partition_key_kind    = "Hash"
  partition_key_version = 2
  default_ttl           = each.value.ttl

  indexing_policy {
    indexing_mode = length(each.value.indexed) > 0 ? "consistent" : "none"

    dynamic "included_path" {
      for_each = each.value.indexed

      content {
        path = included_path.value
      }
    }

    # Whatever is not asked for.
    dynamic "excluded_path" {
      for_each = length(each.value.indexed) > 0 && !contains(each.value.indexed, "/*") ? ["/*"] : []

      content {
        path = excluded_path.value
      }
    }
  }
}
