resource "aws_iam_role" "function" {
  for_each = local.functions

  name        = "${local.names[each.key]}-${local.region}"
  description = "What ${each.key} of ${local.name} may do"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name = "all"
  role = aws_iam_role.function[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements[each.key]
  })
}

# What each kind of function does, and with which streams and collections. A stream is a partition
# key of the table of events; that of a document begins with its collection and a `#`, in the
# table as in its indexes.
locals {
  views = flatten([for projection in local.projections : [
    "${projection.collection}#*", "checkpoints.${projection.collection}#*",
  ]])
  letters = "dead-letters#*"

  rights = {
    for key, function in local.functions : key => merge(local.none, {
      command = {
        reads_streams = ["${key}-*"]
        writes_stream = ["${key}-*"]
        uses_keys     = true
        makes_keys    = true
      }
      commands = {
        # Of a saga it looks whether a timer is still set.
        reads_streams    = concat([for category in local.commands : "${category}-*"], ["saga.*"])
        writes_stream    = [for category in local.commands : "${category}-*"]
        reads_documents  = [local.letters]
        writes_documents = [local.letters]
        sends            = true
        uses_keys        = true
        makes_keys       = true
      }
      query = {
        reads_documents = concat(local.views, ["revisions#*"])
        uses_keys       = true
      }
      api = {
        reads_documents = concat(local.views, ["revisions#*", "checkpoints.saga.*", local.letters])
        reads_feed      = true
        uses_keys       = true
      }
      projection = {
        reads_streams = [for category in function.hears : "${category}-*"]
        reads_documents = [
          "${function.collection}#*", "checkpoints.${function.collection}#*", local.letters,
        ]
        writes_documents = [
          "${function.collection}#*", "checkpoints.${function.collection}#*", local.letters,
        ]
        uses_keys  = true
        makes_keys = true
      }
      saga = {
        reads_streams    = concat([for category in function.hears : "${category}-*"], ["saga.${key}-*"])
        writes_stream    = ["saga.${key}-*"]
        reads_documents  = ["checkpoints.saga.${key}#*", local.letters]
        writes_documents = ["checkpoints.saga.${key}#*", local.letters]
        sends            = true
        uses_keys        = true
        makes_keys       = true
      }
      relay = {
        announces = true
      }
      sweep = {
        # How far consumers are, some views say themselves.
        reads_feed       = true
        reads_documents  = concat(local.views, ["checkpoints.saga.*", "sweeps#*"])
        writes_documents = ["sweeps#*"]
        announces        = true
        uses_keys        = true
      }
    }[function.kind])
  }

  none = {
    reads_streams    = []
    writes_stream    = []
    reads_feed       = false
    reads_documents  = []
    writes_documents = []
    sends            = false
    announces        = false
    uses_keys        = false
    makes_keys       = false
  }
}

# The same as statements, table by table and action by action.
locals {
  statements = {
    for key, rights in local.rights : key => [for statement in concat(
      local.always[key],
      local.of_streams[key],
      local.of_documents[key],
      local.of_keys[key],
      local.of_messages[key],
    ) : statement.says if statement.when]
  }

  always = {
    for key in keys(local.functions) : key => [
      {
        when = true
        says = {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.function[key].arn}:*"]
        }
      },
      {
        # No part of X-Ray has a name to be granted by.
        when = true
        says = {
          Sid      = "Trace"
          Effect   = "Allow"
          Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
          Resource = ["*"]
        }
      },
    ]
  }

  of_streams = {
    for key, rights in local.rights : key => [
      {
        when = length(rights.reads_streams) > 0
        says = {
          Sid       = "ReadStreams"
          Effect    = "Allow"
          Action    = ["dynamodb:GetItem", "dynamodb:Query"]
          Resource  = [aws_dynamodb_table.events.arn]
          Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = rights.reads_streams } }
        }
      },
      {
        when = length(rights.writes_stream) > 0
        says = {
          Sid       = "WriteStreams"
          Effect    = "Allow"
          Action    = ["dynamodb:PutItem"]
          Resource  = [aws_dynamodb_table.events.arn]
          Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = rights.writes_stream } }
        }
      },
      {
        when = rights.reads_feed && var.feed == "index"
        says = {
          Sid      = "ReadFeed"
          Effect   = "Allow"
          Action   = ["dynamodb:Query"]
          Resource = ["${aws_dynamodb_table.events.arn}/index/feed"]
        }
      },
      {
        when = rights.reads_feed && var.feed == "scan"
        says = {
          Sid      = "ReadFeed"
          Effect   = "Allow"
          Action   = ["dynamodb:Scan"]
          Resource = [aws_dynamodb_table.events.arn]
        }
      },
    ]
  }

  of_documents = {
    for key, rights in local.rights : key => [
      {
        when = length(rights.reads_documents) > 0
        says = {
          Sid       = "ReadDocuments"
          Effect    = "Allow"
          Action    = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
          Resource  = [aws_dynamodb_table.documents.arn, "${aws_dynamodb_table.documents.arn}/index/list-*"]
          Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = rights.reads_documents } }
        }
      },
      {
        when = length(rights.writes_documents) > 0
        says = {
          Sid       = "WriteDocuments"
          Effect    = "Allow"
          Action    = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
          Resource  = [aws_dynamodb_table.documents.arn]
          Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = rights.writes_documents } }
        }
      },
    ]
  }

  # Nobody here may put an item: that is how keys are destroyed, which an operator does.
  of_keys = {
    for key, rights in local.rights : key => [
      {
        when = rights.uses_keys
        says = {
          Sid      = "UseKeys"
          Effect   = "Allow"
          Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
          Resource = [aws_dynamodb_table.keys.arn]
        }
      },
      {
        when = rights.makes_keys
        says = {
          Sid      = "MakeKeys"
          Effect   = "Allow"
          Action   = ["dynamodb:UpdateItem"]
          Resource = [aws_dynamodb_table.keys.arn]
        }
      },
      {
        # The table asks for it in the function's name ("DynamoDB encryption at rest").
        when = rights.uses_keys
        says = {
          Sid       = "OpenKeys"
          Effect    = "Allow"
          Action    = ["kms:Decrypt"]
          Resource  = [aws_kms_key.keys.arn]
          Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${local.region}.amazonaws.com" } }
        }
      },
    ]
  }

  of_messages = {
    for key, rights in local.rights : key => [
      {
        when = rights.sends
        says = {
          Sid      = "SendCommands"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [aws_sqs_queue.heard["commands"].arn]
        }
      },
      {
        when = rights.announces
        says = {
          Sid      = "Announce"
          Effect   = "Allow"
          Action   = ["events:PutEvents"]
          Resource = [aws_cloudwatch_event_bus.events.arn]
        }
      },
      {
        when = contains(local.queues, key)
        says = {
          Sid      = "Receive"
          Effect   = "Allow"
          Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
          Resource = [for queue in setintersection(local.queues, [key]) : aws_sqs_queue.heard[queue].arn]
        }
      },
      {
        when = contains(local.relays, key)
        says = {
          Sid      = "TakeStream"
          Effect   = "Allow"
          Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
          Resource = [aws_dynamodb_table.events.stream_arn]
        }
      },
      {
        # It may name no stream: the list has no part that could be granted.
        when = contains(local.relays, key)
        says = {
          Sid      = "ListStreams"
          Effect   = "Allow"
          Action   = ["dynamodb:ListStreams"]
          Resource = ["*"]
        }
      },
      {
        when = contains(setunion(local.relays, ["sweep"]), key)
        says = {
          Sid      = "SetAside"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [for queue in setintersection(local.dead, [key]) : aws_sqs_queue.dead[queue].arn]
        }
      },
    ]
  }
}
