# What there is to deploy. Nothing below names a function of the app: all of it follows from the
# manifest, so that a new projection is no edit here.
locals {
  manifest = jsondecode(file(var.manifest))
  app      = local.manifest.app
  name     = coalesce(var.name, local.app)
  tags     = merge({ app = local.app }, var.tags)

  # Names of accounts are shared by all of Azure, and those of storage have letters and digits alone.
  mark  = substr(sha256("${var.subscription}/${local.name}"), 0, 6)
  plain = replace(local.name, "-", "")

  # The functions of the host, beside those of the app: `api` answers whatever is asked over HTTP
  # and is no command and no query, `commands` takes the queue, `poison` what the queue has set
  # aside, a timer calls `sweep`.
  host = {
    api      = { kind = "api", hears = [] }
    commands = { kind = "commands", hears = [] }
    poison   = { kind = "commands", hears = [] }
    sweep    = { kind = "sweep", hears = [] }
  }

  functions = merge(local.host, {
    for function in local.manifest.functions : function.name => {
      kind  = function.kind
      hears = try(function.hears, [])
    }
  })

  # Rights are those of a function app as a whole. So there is one for each set of rights, and each
  # runs the functions of its kinds alone.
  apps = {
    asked     = ["api", "query"]
    commands  = ["command", "commands"]
    consumers = ["projection", "saga"]
    relay     = ["relay", "sweep"]
  }

  runs = {
    for app, kinds in local.apps : app => toset([
      for key, function in local.functions : key if contains(kinds, function.kind)
    ])
  }

  # What a function is named in the package: the name of a setting that switches it off may have
  # letters, digits, '_' and '.' alone.
  names = { for key in keys(local.functions) : key => replace(replace(key, ".", "__"), "-", "_") }

  consumers = { for key, function in local.functions : key => function if length(function.hears) > 0 }

  # What their subscriptions are named, which may have letters, digits and '-' alone.
  subscriptions = { for key in keys(local.consumers) : key => "${local.name}-${replace(key, ".", "-dot-")}" }
}
