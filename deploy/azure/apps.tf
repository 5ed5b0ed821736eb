# What a function app keeps for itself: its package, and which of its instances does what. It has an
# account of its own for that, since whoever may write a package may say what runs.
resource "azurerm_storage_account" "app" {
  #checkov:skip=CKV_AZURE_33:Whoever calls is in the log of the functions; the queue of commands has one of its own.
  #checkov:skip=CKV_AZURE_59:The functions have no network of their own, which would cost by the hour; there are no keys, and Entra decides who comes in.
  #checkov:skip=CKV_AZURE_206:What is lost with a zone is made again by the next deployment.
  #checkov:skip=CKV2_AZURE_1:The service encrypts with keys of its own; there is no data of the app in it.
  #checkov:skip=CKV2_AZURE_33:The functions have no network of their own, which would cost by the hour.
  #checkov:skip=CKV2_AZURE_38:What is lost is made again by the next deployment.

  for_each = local.apps

  name                            = "${local.plain}${substr(each.key, 0, 4)}${local.mark}"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  local_user_enabled              = false
  allow_nested_items_to_be_public = false
  default_to_oauth_authentication = true
  tags                            = local.tags
}

resource "azurerm_storage_container" "package" {
  #checkov:skip=CKV2_AZURE_21:What is deployed, and by whom, is in the log of the subscription.

  for_each = local.apps

  name               = "package"
  storage_account_id = azurerm_storage_account.app[each.key].id
}

resource "azurerm_service_plan" "this" {
  #checkov:skip=CKV_AZURE_211:Flex Consumption is the plan that costs nothing while nobody asks.
  #checkov:skip=CKV_AZURE_212:Instances come and go with what there is to do.
  #checkov:skip=CKV_AZURE_225:Instances in several zones would be there, and cost, always.

  for_each = local.apps

  name                = "${local.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  os_type             = "Linux"
  sku_name            = "FC1"
  tags                = local.tags
}

# One program, and a function app for each set of rights: the functions of the others are off.
resource "azurerm_function_app_flex_consumption" "this" {
  #checkov:skip=CKV_AZURE_221:Callers and Event Grid come from outside.

  for_each = local.apps

  name                                           = "${local.name}-${each.key}-${local.mark}"
  resource_group_name                            = azurerm_resource_group.this.name
  location                                       = azurerm_resource_group.this.location
  service_plan_id                                = azurerm_service_plan.this[each.key].id
  runtime_name                                   = "custom"
  runtime_version                                = "1.0"
  storage_container_type                         = "blobContainer"
  storage_container_endpoint                     = "${azurerm_storage_account.app[each.key].primary_blob_endpoint}${azurerm_storage_container.package[each.key].name}"
  storage_authentication_type                    = "UserAssignedIdentity"
  storage_user_assigned_identity_id              = azurerm_user_assigned_identity.app[each.key].id
  instance_memory_in_mb                          = var.memory_mb
  maximum_instance_count                         = var.instances_max
  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false
  tags                                           = local.tags

  app_settings = merge(
    local.environment,
    local.bindings,
    {
      # Whose rights the program has: `Clients::from_environment`.
      AZURE_CLIENT_ID = azurerm_user_assigned_identity.app[each.key].client_id

      # `/` is the app's own page, and not that of Functions ("App settings reference").
      AzureWebJobsDisableHomepage = "true"

      # The host's own storage, and who it is there. The first is empty, since the provider would
      # make it a connection by a key that there is not, which the host would prefer to the others
      # (azurerm: "re-injects AzureWebJobsStorage into app_settings"). What is empty the host passes
      # over (its pull request "improve connection string check for blob client"). The provider does
      # not read it back, so that every plan changes it again (azurerm: "AzureWebJobsStorage in
      # app_settings never converges"); were that ignored, the key would be back.
      AzureWebJobsStorage              = ""
      AzureWebJobsStorage__accountName = azurerm_storage_account.app[each.key].name
      AzureWebJobsStorage__credential  = "managedidentity"
      AzureWebJobsStorage__clientId    = azurerm_user_assigned_identity.app[each.key].client_id
    },
    local.connections,
    { for name in keys(local.connections) : "${split("__", name)[0]}__credential" => "managedidentity" },
    { for name in keys(local.connections) : "${split("__", name)[0]}__clientId" => azurerm_user_assigned_identity.app[each.key].client_id },
    { for key in keys(local.functions) : "AzureWebJobs.${local.names[key]}.Disabled" => "true" if !contains(local.runs[each.key], key) },
  )

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app[each.key].id]
  }

  site_config {
    application_insights_connection_string = azurerm_application_insights.this.connection_string
    minimum_tls_version                    = "1.2"
    scm_minimum_tls_version                = "1.2"
    http2_enabled                          = true
  }

  dynamic "auth_settings_v2" {
    for_each = var.entra != null && contains(["asked", "commands"], each.key) ? [var.entra] : []

    content {
      # `az` sees there whether the host is well, by the host's own key and without a token.
      excluded_paths = ["/admin/host/status"]

      auth_enabled           = true
      require_authentication = true
      unauthenticated_action = "Return401"
      default_provider       = "azureactivedirectory"

      active_directory_v2 {
        client_id            = auth_settings_v2.value.client
        tenant_auth_endpoint = "https://login.microsoftonline.com/${auth_settings_v2.value.tenant}/v2.0"
        allowed_audiences    = auth_settings_v2.value.audiences
      }

      login {
        token_store_enabled = false
      }
    }
  }

  # The host opens its storage as soon as there is an app.
  depends_on = [azurerm_role_assignment.host]
}

# The package, for each function app. `zip_deploy_file` of the app asks at an address that Flex
# Consumption does not have, by a password, and only once for each name of a file (azurerm: "zip
# deploy is not working"). So it is Microsoft's own command for the plan, which has a token of Entra,
# waits until the triggers are known, and sees whether the host is well ("Package-based deployment
# for Azure Functions").
resource "terraform_data" "published" {
  for_each = local.apps

  triggers_replace = [
    azurerm_function_app_flex_consumption.this[each.key].id,
    filesha256(var.package),
  ]

  provisioner "local-exec" {
    # A role counts after minutes ("Troubleshoot Azure RBAC"): until then the app may not keep the
    # package. For a host that is not well `az` waits without an end (`check_flex_app_after_deployment`
    # of its source), unless the machine has a `timeout`. No time mends that, or a missing `az`.
    command = <<-EOT
      limit=$(command -v timeout >/dev/null && echo "timeout 600")
      for pause in 30 60 120 240 0; do
        $limit az functionapp deployment source config-zip --subscription "$SUBSCRIPTION" \
          --resource-group "$GROUP" --name "$APP" --src "$PACKAGE" --output none && exit
        case $? in 124 | 127) break ;; esac
        sleep "$pause"
      done
      exit 1
    EOT

    interpreter = ["/bin/sh", "-c"]

    # No value of these is read as a part of the command.
    environment = {
      SUBSCRIPTION = var.subscription
      GROUP        = azurerm_resource_group.this.name
      APP          = azurerm_function_app_flex_consumption.this[each.key].name
      PACKAGE      = abspath(var.package)
    }
  }
}

locals {
  # What the program reads: `Azure::from_environment`.
  environment = {
    SKYFOLD_COSMOS_ENDPOINT = azurerm_cosmosdb_account.this["data"].endpoint
    SKYFOLD_KEYS_ENDPOINT   = azurerm_cosmosdb_account.this["keys"].endpoint
    SKYFOLD_DATABASE        = local.name
    SKYFOLD_EVENTS          = azurerm_cosmosdb_sql_container.this["events"].name
    SKYFOLD_DOCUMENTS       = azurerm_cosmosdb_sql_container.this["documents"].name
    SKYFOLD_KEYS            = azurerm_cosmosdb_sql_container.this["keys"].name
    SKYFOLD_TOPIC_ENDPOINT  = azurerm_eventgrid_topic.events.endpoint
    SKYFOLD_QUEUE_URL       = "${azurerm_storage_account.messages.primary_queue_endpoint}${azurerm_storage_queue.this["commands"].name}"
    RUST_LOG                = var.log_filter
  }

  # What the bindings of the package read beside that: `%SKYFOLD_LEASES%`.
  bindings = {
    SKYFOLD_LEASES = azurerm_cosmosdb_sql_container.this["leases"].name
    SKYFOLD_QUEUE  = azurerm_storage_queue.this["commands"].name
  }

  # What triggers connect to, by the prefixes that their bindings name. No right goes with it; the host
  # looks for it in each app, also for functions that are switched off, and else calls them broken at
  # each start (`FunctionIndexer.IndexMethodAsyncCore`).
  connections = {
    SKYFOLD_QUEUE_CONNECTION__queueServiceUri  = azurerm_storage_account.messages.primary_queue_endpoint
    SKYFOLD_COSMOS_CONNECTION__accountEndpoint = azurerm_cosmosdb_account.this["data"].endpoint
  }
}
