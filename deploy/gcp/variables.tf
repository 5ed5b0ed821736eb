variable "manifest" {
  description = "The file that `order manifest` or `order package` wrote: which functions there are, and what each hears."
  type        = string

  validation {
    condition     = can(jsondecode(file(var.manifest)).app) && can(jsondecode(file(var.manifest)).functions)
    error_message = "There is no manifest in this file: make one with `order manifest > FILE`."
  }
}

variable "image" {
  description = "The image that all services run, by its digest or tag: REGION-docker.pkg.dev/PROJECT/REPOSITORY/order@sha256:…"
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+/[^ ]+[:@][^ ]+$", var.image))
    error_message = "An image is named with its registry and its digest or tag."
  }
}

variable "project" {
  description = "The id of the project that all of it is in."
  type        = string
}

variable "region" {
  description = "Where all of it runs, such as europe-west3. The databases are there as well, and stay there."
  type        = string
}

variable "name" {
  description = "What every name of a resource begins with; the app's name if it is null. Two installations in one project need two names."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{3,22}$", coalesce(var.name, try(jsondecode(file(var.manifest)).app, "none"))))
    error_message = "A name is a letter and 3 to 22 of a-z, 0-9 and '-': say another than the app's, if that is none."
  }

  validation {
    condition = alltrue([
      for function in try(jsondecode(file(var.manifest)).functions[*].name, []) :
      length("${coalesce(var.name, jsondecode(file(var.manifest)).app)}-${replace(function, ".", "--")}") <= 49
    ])
    error_message = "A service of Cloud Run has a name of 49 letters at most: NAME-FUNCTION. Say a shorter one."
  }
}

variable "labels" {
  description = "Labels of every resource, beside `app`."
  type        = map(string)
  default     = {}
}

variable "is_protected" {
  description = "Whether databases and services refuse to be deleted. Set it to false, and apply, before you remove everything."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3650 && floor(var.log_days) == var.log_days
    error_message = "A log bucket keeps what it has for 1 to 3,650 days."
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

variable "memory" {
  description = "How much memory an instance of a service has."
  type        = string
  default     = "512Mi"

  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.memory))
    error_message = "Memory is a number of Mi or Gi."
  }
}

variable "timeout_seconds" {
  description = "How long a request may take. Pub/Sub waits for ten minutes at most."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 600
    error_message = "A request may take 10 to 600 seconds."
  }
}

variable "warm_instances" {
  description = "How many instances of a function are always warm, by the function's name: { order = 1 }. They cost by the hour."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.warm_instances) : contains(keys(local.functions), name)])
    error_message = "There is no such function: the names are those of the manifest, `api`, `commands` and `sweep`."
  }
}

variable "instances_max" {
  description = "How many instances of one function there are at most."
  type        = number
  default     = 20

  validation {
    condition     = var.instances_max >= 1 && var.instances_max <= 1000
    error_message = "A service has 1 to 1,000 instances."
  }
}

variable "attempts_max" {
  description = "How often a message is delivered before it is set aside. The functions themselves give up earlier, at 30, where they can say why."
  type        = number
  default     = 100

  validation {
    condition     = var.attempts_max > 30 && var.attempts_max <= 100
    error_message = "Pub/Sub delivers 31 to 100 times: the functions give up after 30, and make a dead letter of it."
  }
}

variable "sweep_minutes" {
  description = "How often a schedule looks for what the relay has missed."
  type        = number
  default     = 5

  validation {
    condition     = var.sweep_minutes >= 2 && var.sweep_minutes <= 59 && floor(var.sweep_minutes) == var.sweep_minutes
    error_message = "A sweep comes every 2 to 59 minutes."
  }
}

variable "workflows" {
  description = "Whether a workflow watches each transaction of a saga, so that executions show which are under way. It changes nothing of how they run."
  type        = bool
  default     = false
}

variable "callers" {
  description = "Who may call the app, as members of IAM: [\"group:staff@example.com\"]. They bring an identity token."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for caller in var.callers : can(regex("^(user|group|domain|serviceAccount|principal|principalSet):", caller))])
    error_message = "A caller is a member of IAM, and not everybody: for that say `is_public = true`."
  }
}

variable "is_public" {
  description = "Whether anybody may call without a token. One of `callers` and this must be said."
  type        = bool
  default     = false

  validation {
    condition     = var.is_public != (length(var.callers) > 0)
    error_message = "Either say who may call (`callers`), or that anybody may (`is_public = true`)."
  }
}

variable "alert_channels" {
  description = "The names of the notification channels that are told of alerts: projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for channel in var.alert_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "A channel is named in full: projects/PROJECT/notificationChannels/ID."
  }
}

variable "behind_seconds_max" {
  description = "For how long an event may wait to be handled before an alert tells."
  type        = number
  default     = 300

  validation {
    condition     = var.behind_seconds_max >= 60 && var.behind_seconds_max <= 43200
    error_message = "An alert looks at 60 seconds to 12 hours."
  }
}
