terraform {
  # Validations of one variable look at others.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 9.0"
    }
  }
}

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = merge({ app = local.app }, var.labels)
}
