terraform {
  # Validations of one variable look at others.
  required_version = ">= 1.9"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 5.2, < 6.0"
    }
  }
}

provider "azurerm" {
  subscription_id = var.subscription

  # Nothing is reached by a key of an account.
  storage_use_azuread = true

  # azurerm 5 registers none by itself ("Azure Resource Manager: 5.0 Upgrade Guide"), and a new
  # subscription has hardly any.
  resource_providers_to_register = [
    "Microsoft.DocumentDB",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
  ]

  features {}
}
