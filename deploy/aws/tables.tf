# As the adapter lays them out: see the front page of `skyfold-aws`, "What is kept where". A test
# compares the two.

locals {
  # How many lists a collection may have (`LISTS_MAX`).
  lists = 3
}

resource "aws_dynamodb_table" "events" {
  #checkov:skip=CKV_AWS_119:Personal data is sealed before it is written, under keys in another table, whose key is the account's own.

  name                        = "${local.name}-events"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  stream_enabled              = true
  stream_view_type            = "NEW_IMAGE"
  deletion_protection_enabled = var.is_protected

  attribute {
    name = "PK"
    type = "S"
  }

  attribute {
    name = "SK"
    type = "S"
  }

  dynamic "attribute" {
    for_each = var.feed == "index" ? ["F", "T"] : []

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.feed == "index" ? ["feed"] : []

    content {
      name            = global_secondary_index.value
      projection_type = "ALL"

      key_schema {
        attribute_name = "F"
        key_type       = "HASH"
      }

      key_schema {
        attribute_name = "T"
        key_type       = "RANGE"
      }
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

resource "aws_dynamodb_table" "documents" {
  #checkov:skip=CKV_AWS_119:Personal data is sealed before it is written, under keys in another table, whose key is the account's own.

  name                        = "${local.name}-documents"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = var.is_protected

  dynamic "attribute" {
    for_each = concat(["PK", "SK"], flatten([for list in range(local.lists) : ["U${list}", "O${list}"]]))

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = range(local.lists)

    content {
      name            = "list-${global_secondary_index.value}"
      projection_type = "ALL"

      key_schema {
        attribute_name = "U${global_secondary_index.value}"
        key_type       = "HASH"
      }

      key_schema {
        attribute_name = "O${global_secondary_index.value}"
        key_type       = "RANGE"
      }
    }
  }

  ttl {
    attribute_name = "E"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

# The keys of personal data. Not backed up, on purpose: to forget somebody is to destroy their keys,
# and a backup that is restored would bring them back.
resource "aws_dynamodb_table" "keys" {
  #checkov:skip=CKV_AWS_28:Not backed up, on purpose: a backup would bring back whose keys were destroyed.

  name                        = "${local.name}-keys"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = var.is_protected

  attribute {
    name = "PK"
    type = "S"
  }

  attribute {
    name = "SK"
    type = "S"
  }

  point_in_time_recovery {
    enabled = false
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.keys.arn
  }
}

# The key that the keys are kept under is the account's own: who may read the table and not use
# this key reads nothing.
resource "aws_kms_key" "keys" {
  description             = "The keys of personal data of ${local.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Who may use it otherwise, the policies of the functions say ("Default key policy").
        Sid       = "TheAccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "keys" {
  name          = "alias/${local.name}-keys"
  target_key_id = aws_kms_key.keys.key_id
}
