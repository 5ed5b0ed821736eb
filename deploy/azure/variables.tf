variable "manifest" {
  description = "The file that `order manifest` or `order package` wrote: which functions there are, and what each hears."
  type        = string

  validation {
    condition     = can(jsondecode(file(var.manifest)).app) && can(jsondecode(file(var.manifest)).functions)
    error_message = "There is no manifest in this file: make one with `order manifest > FILE`."
  }

  validation {
    condition     = try(length(distinct([for f in jsondecode(file(var.manifest)).functions : replace(replace(f.name, ".", "__"), "-", "_")])) == length(jsondecode(file(var.manifest)).functions), true)
    error_message = "Two functions have the same name with '_' for '-' and '__' for '.': rename one of them."
  }
}

variable "package" {
  description = "The zip that `order package --target azure` made. All function apps run the program in it."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no such file: make it with `order package --target azure`."
  }
}

variable "subscription" {
  description = "The id of the subscription that all of it is in."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.subscription))
    error_message = "The id of a subscription is a UUID in small letters."
  }
}

variable "region" {
  description = "Where all of it runs, such as westeurope. The plan Flex Consumption is not in every region."
  type        = string
}

variable "name" {
  description = "What every name of a resource begins with; the app's name if it is null. Two installations in one subscription need two names."
  type        = string
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[a-z][a-z0-9-]{0,8}[a-z0-9]$", var.name))
    error_message = "A name is a letter and 1 to 9 of a-z, 0-9 and '-', of which '-' is not the last."
  }
}

variable "tags" {
  description = "Tags of every resource, beside `app`."
  type        = map(string)
  default     = {}
}

variable "throughput" {
  description = "Up to how many request units a second each account of Cosmos DB scales by itself: { data = 4000, keys = 1000 }. Serverless accounts, paid by request, if it is null. Choose before there are data: the other kind is another account."
  type = object({
    data = number
    keys = number
  })
  default = null

  validation {
    condition     = var.throughput == null || alltrue([for units in values(coalesce(var.throughput, { data = 0, keys = 0 })) : units >= 1000 && units % 1000 == 0])
    error_message = "A database scales up to 1,000 units a second or a multiple of that."
  }
}

variable "is_protected" {
  description = "Whether the accounts of data and of keys refuse to be deleted, and with them whatever is in them, such as a container or a right. Set it to false, and apply, before you remove everything, or a part of them."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 30 && var.log_days <= 730 && floor(var.log_days) == var.log_days
    error_message = "A workspace keeps what it has for 30 to 730 days."
  }
}

variable "log_filter" {
  description = "What is logged, in the form of RUST_LOG. Alerts read the warnings."
  type        = string
  default     = "warn"

  validation {
    condition     = var.log_filter != "off" && var.log_filter != "error"
    error_message = "Dead letters are noticed by a warning in the log: log `warn` at least."
  }
}

variable "memory_mb" {
  description = "How much memory an instance has."
  type        = number
  default     = 2048

  validation {
    condition     = contains([512, 2048, 4096], var.memory_mb)
    error_message = "An instance of Flex Consumption has 512, 2048 or 4096 MB."
  }
}

variable "instances_max" {
  description = "How many instances of one function app there are at most."
  type        = number
  default     = 40

  validation {
    condition     = var.instances_max >= 40 && var.instances_max <= 1000
    error_message = "An app of Flex Consumption has a limit of 40 to 1,000 instances."
  }
}

variable "attempts_max" {
  description = "How often Event Grid delivers an event before it keeps it in the container of dead letters."
  type        = number
  default     = 30

  validation {
    condition     = var.attempts_max >= 1 && var.attempts_max <= 30 && floor(var.attempts_max) == var.attempts_max
    error_message = "Event Grid delivers 1 to 30 times."
  }
}

variable "entra" {
  description = "Whose tokens callers bring: { tenant = \"UUID\", client = \"UUID of the registration of the API\", audiences = [\"api://…\"] }."
  type = object({
    tenant    = string
    client    = string
    audiences = list(string)
  })
  default = null

  validation {
    condition     = var.entra == null || try(length(var.entra.audiences), 0) > 0
    error_message = "There is one audience at least."
  }
}

variable "is_public" {
  description = "Whether anybody may call without a token. One of `entra` and this must be said."
  type        = bool
  default     = false

  validation {
    condition     = var.is_public != (var.entra != null)
    error_message = "Either say whose tokens callers bring (`entra`), or that anybody may call (`is_public = true`)."
  }
}

variable "queued_max" {
  description = "From how many messages on, in the queues of commands together, an alert tells, within a day. Commands that are not due yet count."
  type        = number
  default     = 1000

  validation {
    condition     = var.queued_max >= 1 && floor(var.queued_max) == var.queued_max
    error_message = "It is a number of messages: 1 or more."
  }
}

variable "action_groups" {
  description = "The ids of the action groups that are told of alerts."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.action_groups : can(regex("(?i)^/subscriptions/.+/providers/microsoft.insights/actiongroups/[^/]+$", id))])
    error_message = "An action group is named by its id: /subscriptions/…/actionGroups/NAME."
  }
}
