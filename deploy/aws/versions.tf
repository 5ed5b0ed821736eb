terraform {
  # Validations of one variable look at others.
  required_version = ">= 1.9"

  required_providers {
    # The keys of an index are said as since 6.30.
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.30, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ app = local.app }, var.tags)
  }
}
