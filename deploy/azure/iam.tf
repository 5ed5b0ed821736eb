# Who each function app is.
resource "azurerm_user_assigned_identity" "app" {
  for_each = local.apps

  name                = "${local.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags
}

# A function app has its own storage to itself ("Connecting to host storage with an identity").
resource "azurerm_role_assignment" "host" {
  for_each = local.apps

  scope                = azurerm_storage_account.app[each.key].id
  role_definition_name = "Storage Blob Data Owner"
  principal_id         = azurerm_user_assigned_identity.app[each.key].principal_id
  principal_type       = "ServicePrincipal"
}

locals {
  items = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items"

  reads = [
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed",
    "${local.items}/read",
  ]

  # What may be done to the items of a container. None but `writes` removes any, so that what was
  # recorded stays. To forget somebody is an upsert of the keys, which an operator may do alone.
  roles = {
    locates = ["Microsoft.DocumentDB/databaseAccounts/readMetadata"]
    reads   = local.reads
    appends = concat(local.reads, ["${local.items}/create"])
    makes   = concat(local.reads, ["${local.items}/create", "${local.items}/replace"])
    writes  = concat(local.reads, ["${local.items}/create", "${local.items}/replace", "${local.items}/upsert", "${local.items}/delete"])
  }

  definitions = {
    for pair in setproduct(keys(local.accounts), keys(local.roles)) :
    "${pair[0]}-${pair[1]}" => { account = pair[0], role = pair[1] }
  }

  rights = {
    asked     = { events = "reads", documents = "reads", keys = "reads" }
    commands  = { events = "appends", documents = "writes", keys = "makes" }
    consumers = { events = "appends", documents = "writes", keys = "makes" }
    relay     = { events = "reads", documents = "writes", keys = "reads", leases = "writes" }
  }

  # To the items of a container, and to know where the containers of an account are.
  granted = merge(
    merge([
      for app, containers in local.rights : {
        for container, role in containers : "${app}-${role}-${container}" => {
          app     = app
          account = local.containers[container].account
          role    = role
          within  = "/dbs/${local.name}/colls/${container}"
        }
      }
    ]...),
    {
      for pair in setproduct(keys(local.apps), keys(local.accounts)) :
      "${pair[0]}-in-${pair[1]}" => { app = pair[0], account = pair[1], role = "locates", within = "" }
    },
  )

  queues = "Microsoft.Storage/storageAccounts/queueServices/queues"
}

resource "azurerm_cosmosdb_sql_role_definition" "this" {
  for_each = local.definitions

  name                = "${local.name}-${each.value.role}"
  resource_group_name = azurerm_resource_group.this.name
  account_name        = azurerm_cosmosdb_account.this[each.value.account].name
  assignable_scopes   = [azurerm_cosmosdb_account.this[each.value.account].id]

  permissions {
    data_actions = local.roles[each.value.role]
  }
}

resource "azurerm_cosmosdb_sql_role_assignment" "this" {
  for_each = local.granted

  resource_group_name = azurerm_resource_group.this.name
  account_name        = azurerm_cosmosdb_account.this[each.value.account].name
  role_definition_id  = azurerm_cosmosdb_sql_role_definition.this["${each.value.account}-${each.value.role}"].id
  principal_id        = azurerm_user_assigned_identity.app[each.value.app].principal_id
  scope               = "${azurerm_cosmosdb_account.this[each.value.account].id}${each.value.within}"

  depends_on = [azurerm_cosmosdb_sql_container.this]
}

# Whoever takes messages looks at the queue, takes and deletes messages, puts others, and gives back
# what has failed ("Permissions for Queue service operations"). Of Azure's own roles none has just
# that. With "Storage Queue Data Message Processor" nothing is given back ("Update Message"): the host
# shuts down instead, at each command that fails (`ReleaseMessageAsync` of its extension for queues,
# `WebScriptHostExceptionHandler`). "Storage Queue Data Contributor" may delete the queue, too.
resource "azurerm_role_definition" "takes" {
  # Unique in the whole tenant.
  name              = "${local.name}-takes-messages-${local.mark}"
  description       = "Takes messages of a queue, gives them back and puts others."
  scope             = azurerm_resource_group.this.id
  assignable_scopes = [azurerm_resource_group.this.id]

  permissions {
    actions = ["${local.queues}/read"]
    data_actions = [
      "${local.queues}/messages/process/action",
      "${local.queues}/messages/read",
      "${local.queues}/messages/write",
    ]
  }
}

# The host takes both queues, and puts into `commands-poison`; the program puts into `commands`.
resource "azurerm_role_assignment" "takes" {
  for_each = azurerm_storage_queue.this

  scope              = each.value.id
  role_definition_id = azurerm_role_definition.takes.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.app["commands"].principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "sends" {
  scope                = azurerm_storage_queue.this["commands"].id
  role_definition_name = "Storage Queue Data Message Sender"
  principal_id         = azurerm_user_assigned_identity.app["consumers"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "announces" {
  scope                = azurerm_eventgrid_topic.events.id
  role_definition_name = "EventGrid Data Sender"
  principal_id         = azurerm_user_assigned_identity.app["relay"].principal_id
  principal_type       = "ServicePrincipal"
}

# The topic keeps what it could not deliver.
resource "azurerm_role_assignment" "dead" {
  scope                = azurerm_storage_container.dead.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_eventgrid_topic.events.identity[0].principal_id
  principal_type       = "ServicePrincipal"
}
