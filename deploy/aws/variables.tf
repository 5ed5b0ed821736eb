variable "manifest" {
  description = "The file that `order manifest` or `order package` wrote: which functions there are, and what each hears."
  type        = string

  validation {
    condition     = can(jsondecode(file(var.manifest)).app) && can(jsondecode(file(var.manifest)).functions)
    error_message = "There is no manifest in this file: make one with `order manifest > FILE`."
  }
}

variable "package" {
  description = "The zip that `order package --target aws` made. All functions run the program in it."
  type        = string

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no such file: make it with `order package --target aws`."
  }
}

variable "region" {
  description = "Where all of it runs; that of the environment or the profile if it is null."
  type        = string
  default     = null
}

variable "name" {
  description = "What every name of a resource begins with; the app's name if it is null. Two installations in one account and region need two names."
  type        = string
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[a-z][a-z0-9-]{0,23}$", var.name))
    error_message = "A name is a letter and up to 23 of a-z, 0-9 and '-'."
  }
}

variable "tags" {
  description = "Tags of every resource, beside `app`."
  type        = map(string)
  default     = {}
}

variable "feed" {
  description = "How the feed of all events is read: by an index, which costs one more write unit a command, or by a scan."
  type        = string
  default     = "index"

  validation {
    condition     = contains(["index", "scan"], var.feed)
    error_message = "The feed is read by `index` or by `scan`."
  }
}

variable "is_protected" {
  description = "Whether the tables refuse to be deleted. Set it to false, and apply, before you remove everything."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 days, or one of its longer times."
  }
}

variable "log_filter" {
  description = "What is logged, in the form of RUST_LOG. Alarms read the warnings."
  type        = string
  default     = "warn"

  validation {
    condition     = var.log_filter != "off" && var.log_filter != "error"
    error_message = "Dead letters are noticed by a warning in the log: log `warn` at least."
  }
}

variable "memory_mb" {
  description = "How much memory a function has. Its share of a processor grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "A function has 128 to 10,240 MB."
  }
}

variable "timeout_seconds" {
  description = "How long a call may take. An HTTP API waits for 30 seconds at most."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 900
    error_message = "A call may take 10 to 900 seconds."
  }
}

variable "provisioned_concurrency" {
  description = "How many instances of a function are always warm, by the function's name: { order = 2 }. They cost by the hour."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.provisioned_concurrency) : contains(keys(local.functions), name)])
    error_message = "There is no such function: the names are those of the manifest, `api`, `commands` and `sweep`."
  }

  validation {
    condition     = alltrue([for count in values(var.provisioned_concurrency) : count >= 1 && floor(count) == count])
    error_message = "A number of instances is whole, and 1 or more."
  }
}

variable "consumers_at_once" {
  description = "How many instances of one projection, of one saga or of the commands' function work on its queue at once."
  type        = number
  default     = 10

  validation {
    condition     = var.consumers_at_once >= 2 && var.consumers_at_once <= 1000
    error_message = "Lambda allows 2 to 1,000 for a queue."
  }
}

variable "relays_at_once" {
  description = "How many batches of one shard of the events' stream are announced at once."
  type        = number
  default     = 4

  validation {
    condition     = var.relays_at_once >= 1 && var.relays_at_once <= 10
    error_message = "Lambda allows 1 to 10 for a shard."
  }
}

variable "relay_age_max_seconds" {
  description = "For how long the relay tries to announce an event before it leaves it to the sweep, and goes on. A shard waits meanwhile."
  type        = number
  default     = 3600

  validation {
    condition     = var.relay_age_max_seconds >= 60 && var.relay_age_max_seconds <= 86400
    error_message = "A stream keeps its records for a day: 60 to 86,400 seconds."
  }
}

variable "receives_max" {
  description = "How often a message comes before its queue sets it aside. The functions themselves give up earlier, at 30, where they can say why."
  type        = number
  default     = 100

  validation {
    condition     = var.receives_max > 30 && var.receives_max <= 1000
    error_message = "A message comes 31 to 1,000 times: the functions give up after 30, and make a dead letter of it."
  }
}

variable "sweep_minutes" {
  description = "How often a schedule looks for what the relay has missed."
  type        = number
  default     = 5

  validation {
    condition     = var.sweep_minutes >= 2 && floor(var.sweep_minutes) == var.sweep_minutes
    error_message = "A sweep comes every 2 minutes or less often, in whole minutes."
  }
}

variable "state_machines" {
  description = "Whether a state machine of Step Functions watches each transaction of a saga, so that executions show which are under way. It changes nothing of how they run."
  type        = bool
  default     = false
}

variable "jwt" {
  description = "Who signs the tokens that callers bring, and for whom: { issuer = \"https://…\", audience = [\"…\"] }. Without it anybody may call."
  type = object({
    issuer   = string
    audience = list(string)
    scopes   = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.jwt == null || (startswith(try(var.jwt.issuer, ""), "https://") && try(length(var.jwt.audience), 0) > 0)
    error_message = "An issuer is an https:// address, and there is one audience at least."
  }
}

variable "is_public" {
  description = "Whether anybody may call without a token. One of `jwt` and this must be said."
  type        = bool
  default     = false

  validation {
    condition     = var.is_public != (var.jwt != null)
    error_message = "Either say who signs the callers' tokens (`jwt`), or that anybody may call (`is_public = true`)."
  }
}

variable "requests_per_second" {
  description = "How many requests a second the API takes, on average. More are answered with 429."
  type        = number
  default     = 500

  validation {
    condition     = var.requests_per_second >= 1 && var.requests_per_second <= 10000
    error_message = "An account takes 10,000 requests a second, unless it was granted more."
  }
}

variable "requests_at_once" {
  description = "How many requests may come at one moment beyond that."
  type        = number
  default     = 1000

  validation {
    condition     = var.requests_at_once >= 1 && var.requests_at_once <= 5000
    error_message = "An account takes 5,000 requests at once, unless it was granted more."
  }
}

variable "alarm_topics" {
  description = "The ARNs of the topics of SNS that are told of alarms."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for topic in var.alarm_topics : can(regex("^arn:[a-z-]+:sns:", topic))])
    error_message = "A topic is named by its ARN: arn:aws:sns:REGION:ACCOUNT:NAME."
  }
}

variable "behind_seconds_max" {
  description = "For how long an event may wait to be announced, or to be handled, before an alarm tells."
  type        = number
  default     = 300

  validation {
    condition     = var.behind_seconds_max >= 60 && var.behind_seconds_max <= 43200
    error_message = "An alarm looks at 60 seconds to 12 hours."
  }
}
