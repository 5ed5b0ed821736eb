data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

# What there is to deploy. Nothing below names a function of the app: all of it follows from the
# manifest, so that a new projection is no edit here.
locals {
  manifest = jsondecode(file(var.manifest))
  app      = local.manifest.app
  name     = coalesce(var.name, local.app)
  account  = data.aws_caller_identity.current.account_id
  region   = data.aws_region.current.region

  # The functions of the host, beside those of the app: `api` answers whatever is asked over HTTP
  # and is no command and no query, `commands` takes the queue, a schedule calls `sweep`.
  host = {
    api      = { kind = "api", hears = [], collection = "" }
    commands = { kind = "commands", hears = [], collection = "" }
    sweep    = { kind = "sweep", hears = [], collection = "" }
  }

  functions = merge(local.host, {
    for function in local.manifest.functions : function.name => {
      kind       = function.kind
      hears      = try(function.hears, [])
      collection = try(function.collection, "")
    }
  })

  # A function's name may hold dots, which the names of few resources may, and never a `_`.
  names = { for key in keys(local.functions) : key => "${local.name}-${replace(key, ".", "_")}" }

  commands    = toset([for key, function in local.functions : key if function.kind == "command"])
  queries     = toset([for key, function in local.functions : key if function.kind == "query"])
  sagas       = toset([for key, function in local.functions : key if function.kind == "saga"])
  relays      = toset([for key, function in local.functions : key if function.kind == "relay"])
  projections = { for key, function in local.functions : key => function if function.kind == "projection" }
  consumers   = { for key, function in local.functions : key => function if length(function.hears) > 0 }
}
