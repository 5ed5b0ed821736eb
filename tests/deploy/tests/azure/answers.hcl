mock_provider "azurerm" {
  mock_resource "azurerm_resource_group" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg"
    }
  }

  mock_resource "azurerm_cosmosdb_account" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/account"
      endpoint = "https://account.documents.azure.com:443/"
    }
  }

  mock_resource "azurerm_cosmosdb_sql_database" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/account/sqlDatabases/db"
    }
  }

  mock_resource "azurerm_cosmosdb_sql_role_definition" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/account/sqlRoleDefinitions/11111111-2222-3333-4444-555555555555"
    }
  }

  mock_resource "azurerm_role_definition" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/providers/Microsoft.Authorization/roleDefinitions/44444444-2222-3333-4444-555555555555|/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg"
      role_definition_id = "44444444-2222-3333-4444-555555555555"
      role_definition_resource_id = "/subscriptions/11111111-2222-3333-4444-555555555555/providers/Microsoft.Authorization/roleDefinitions/44444444-2222-3333-4444-555555555555"
    }
  }

  mock_resource "azurerm_storage_account" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account"
      primary_blob_endpoint = "https://account.blob.core.windows.net/"
      primary_queue_endpoint = "https://account.queue.core.windows.net/"
    }
  }

  mock_resource "azurerm_storage_container" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account/blobServices/default/containers/c"
    }
  }

  mock_resource "azurerm_storage_queue" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account/queueServices/default/queues/q"
    }
  }

  mock_resource "azurerm_service_plan" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Web/serverFarms/plan"
    }
  }

  mock_resource "azurerm_function_app_flex_consumption" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Web/sites/site"
      default_hostname = "site.azurewebsites.net"
    }
  }

  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
      principal_id = "22222222-2222-3333-4444-555555555555"
      client_id = "33333333-2222-3333-4444-555555555555"
    }
  }

  mock_resource "azurerm_eventgrid_topic" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.EventGrid/topics/t"
      endpoint = "https://t.westeurope-1.eventgrid.azure.net/api/events"
    }
  }

  mock_resource "azurerm_log_analytics_workspace" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w"
    }
  }

  mock_resource "azurerm_application_insights" {
    defaults = {
      id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Insights/components/c"
      connection_string = "InstrumentationKey=11111111-2222-3333-4444-555555555555"
    }
  }
}

# Those that others name are each another.
override_resource {
  target = azurerm_user_assigned_identity.app["asked"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/asked"
    principal_id = "22222221-2222-3333-4444-555555555555"
    client_id = "33333331-2222-3333-4444-555555555555"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.app["commands"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/commands"
    principal_id = "22222222-2222-3333-4444-555555555555"
    client_id = "33333332-2222-3333-4444-555555555555"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.app["consumers"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/consumers"
    principal_id = "22222223-2222-3333-4444-555555555555"
    client_id = "33333333-2222-3333-4444-555555555555"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.app["relay"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/relay"
    principal_id = "22222224-2222-3333-4444-555555555555"
    client_id = "33333334-2222-3333-4444-555555555555"
  }
}

override_resource {
  target = azurerm_storage_queue.this["commands"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account/queueServices/default/queues/commands"
  }
}

override_resource {
  target = azurerm_storage_queue.this["commands-poison"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/account/queueServices/default/queues/commands-poison"
  }
}

override_resource {
  target = azurerm_cosmosdb_account.this["data"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/data"
    endpoint = "https://data.documents.azure.com:443/"
  }
}

override_resource {
  target = azurerm_cosmosdb_account.this["keys"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.DocumentDB/databaseAccounts/keys"
    endpoint = "https://keys.documents.azure.com:443/"
  }
}
