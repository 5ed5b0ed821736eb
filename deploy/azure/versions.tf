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

  features {}
}
