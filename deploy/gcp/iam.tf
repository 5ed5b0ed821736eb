# An account for each function, with the rights of its kind alone.
resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "fn-${substr(sha1("${local.name}/${each.key}"), 0, 20)}"
  display_name = "${local.name}: ${each.key}"
}

# And one for each that delivers: whom a service lets in is decided by IAM, and by the service once
# more.
resource "google_service_account" "deliverer" {
  for_each = setunion(["eventarc", "push", "queue", "schedule"], var.workflows ? ["begun", "watch"] : [])

  account_id   = "by-${substr(sha1("${local.name}/${each.key}"), 0, 20)}"
  display_name = "${local.name}: delivers by ${each.key}"
}

locals {
  readers = ["datastore.databases.get", "datastore.databases.getMetadata", "datastore.entities.get", "datastore.entities.list"]

  # What one may do in a database. Firestore has no rights to a part of it. Nobody here can destroy a
  # key, which is how somebody is forgotten: an operator does.
  database_roles = {
    read = { title = "reads", permissions = local.readers }
    make = {
      title       = "reads and makes"
      permissions = concat(local.readers, ["datastore.entities.create"])
    }
    append = {
      title       = "reads, makes and changes"
      permissions = concat(local.readers, ["datastore.entities.create", "datastore.entities.update"])
    }
    keep = {
      title       = "reads, makes, changes and removes"
      permissions = concat(local.readers, ["datastore.entities.create", "datastore.entities.update", "datastore.entities.delete"])
    }
  }

  # Which of them a function has, by its kind: in the database of streams and documents, and in that
  # of keys. The relay has none: what it announces is brought to it.
  data_rights = {
    command = "append", query = "read", projection = "keep", saga = "keep", api = "read", commands = "keep", sweep = "keep"
  }
  keys_rights = {
    command = "make", query = "read", projection = "make", saga = "make", api = "read", commands = "make", sweep = "read"
  }
}

resource "google_project_iam_custom_role" "database" {
  for_each = local.database_roles

  role_id     = "${replace(local.name, "-", "_")}_${each.key}"
  title       = "${local.name}: ${each.value.title}"
  permissions = each.value.permissions
}

resource "google_project_iam_member" "data" {
  for_each = { for key, function in local.functions : key => local.data_rights[function.kind] if contains(keys(local.data_rights), function.kind) }

  project = var.project
  role    = google_project_iam_custom_role.database[each.value].id
  member  = google_service_account.function[each.key].member

  condition {
    title      = "the data of ${local.name}"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.data.name}\""
  }
}

resource "google_project_iam_member" "keys" {
  for_each = { for key, function in local.functions : key => local.keys_rights[function.kind] if contains(keys(local.keys_rights), function.kind) }

  project = var.project
  role    = google_project_iam_custom_role.database[each.value].id
  member  = google_service_account.function[each.key].member

  condition {
    title      = "the keys of ${local.name}"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.keys.name}\""
  }
}

locals {
  announcers = toset([for key, function in local.functions : key if contains(["relay", "sweep"], function.kind)])
  senders    = toset([for key, function in local.functions : key if contains(["saga", "commands"], function.kind)])
}

resource "google_pubsub_topic_iam_member" "announces" {
  for_each = local.announcers

  topic  = google_pubsub_topic.events.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.key].member
}

resource "google_pubsub_topic_iam_member" "sends" {
  for_each = local.senders

  topic  = google_pubsub_topic.commands.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.key].member
}

resource "google_cloud_tasks_queue_iam_member" "sends" {
  for_each = local.senders

  name     = google_cloud_tasks_queue.commands.name
  location = var.region
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.function[each.key].member
}

# Whoever makes a task says whose token it brings, and must be allowed to.
resource "google_service_account_iam_member" "sends" {
  for_each = local.senders

  service_account_id = google_service_account.deliverer["queue"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function[each.key].member
}

# Whom a service lets in.
resource "google_cloud_run_v2_service_iam_member" "delivers" {
  for_each = merge([
    for key, deliverers in local.deliverers : { for who in deliverers : "${key}/${who}" => { function = key, who = who } }
  ]...)

  name     = google_cloud_run_v2_service.delivered[each.value.function].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.deliverer[each.value.who].member
}

resource "google_cloud_run_v2_service_iam_member" "calls" {
  for_each = merge([
    for key in keys(local.asked) : { for caller in(var.is_public ? ["allUsers"] : var.callers) : "${key}/${caller}" => { function = key, caller = caller } }
  ]...)

  name     = google_cloud_run_v2_service.asked[each.value.function].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value.caller
}

resource "google_project_iam_member" "receiver" {
  project = var.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.deliverer["eventarc"].member
}

# The service's own account sets aside what was delivered too often.
resource "google_pubsub_topic_iam_member" "dead" {
  for_each = local.pushed

  topic  = google_pubsub_topic.dead[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead" {
  for_each = local.pushed

  subscription = google_pubsub_subscription.pushed[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# And makes the tokens of those that deliver.
resource "google_service_account_iam_member" "tokens" {
  service_account_id = google_service_account.deliverer["push"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

locals {
  pubsub_agent = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
