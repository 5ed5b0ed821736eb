data "google_project" "this" {}

# What there is to deploy. Nothing below names a function of the app: all of it follows from the
# manifest, so that a new projection is no edit here.
locals {
  manifest = jsondecode(file(var.manifest))
  app      = local.manifest.app
  name     = coalesce(var.name, local.app)
  number   = data.google_project.this.number

  # The functions of the host, beside those of the app: `api` answers whatever is asked over HTTP
  # and is no command and no query, `commands` takes queued commands, a schedule calls `sweep`.
  host = {
    api      = { kind = "api", hears = [] }
    commands = { kind = "commands", hears = [] }
    sweep    = { kind = "sweep", hears = [] }
  }

  functions = merge(local.host, {
    for function in local.manifest.functions : function.name => {
      kind  = function.kind
      hears = try(function.hears, [])
    }
  })

  # A function's name may hold dots, which the names of few resources may.
  names = { for key in keys(local.functions) : key => "${local.name}-${replace(key, ".", "--")}" }

  # Who is asked over HTTP, and to whom something is delivered.
  asked     = { for key, function in local.functions : key => function if contains(["api", "command", "query"], function.kind) }
  delivered = { for key, function in local.functions : key => function if !contains(keys(local.asked), key) }
  consumers = { for key, function in local.functions : key => function if length(function.hears) > 0 }
  relays    = toset([for key, function in local.functions : key if function.kind == "relay"])

  # What Cloud Run answers at, known before there is a service ("Deterministic URL").
  urls = { for key, name in local.names : key => "https://${name}-${local.number}.${var.region}.run.app" }

  # What the tokens of deliveries are for, where we say it.
  audiences = { for key, name in local.names : key => "https://${name}.${local.name}.internal" }

  # Where tasks deliver commands; their tokens are for this address.
  commands_url = "${local.urls["commands"]}/deliveries/commands"
}
