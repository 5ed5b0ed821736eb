# Events, and commands that are to run at once.
resource "google_pubsub_topic" "events" {
  #checkov:skip=CKV_GCP_83:Personal data are sealed before they reach the topic; the service encrypts the rest with keys of its own.

  name                       = local.name
  message_retention_duration = local.retention
}

resource "google_pubsub_topic" "commands" {
  #checkov:skip=CKV_GCP_83:Personal data are sealed before they reach the topic; the service encrypts the rest with keys of its own.

  name                       = "${local.name}-commands"
  message_retention_duration = local.retention
}

locals {
  # A week: the longest for a subscription that is not paid for.
  retention = "604800s"

  # Who is pushed to: projections and sagas, and who takes commands.
  pushed = merge(
    { for key, function in local.consumers : key => {
      topic    = google_pubsub_topic.events.id
      path     = "/deliveries/events"
      audience = local.audiences[key]
      # What is not heard is not delivered, and not paid for.
      filter = join(" OR ", [for category in function.hears : "attributes.category = \"${category}\""])
    } },
    { commands = {
      topic    = google_pubsub_topic.commands.id
      path     = "/deliveries/commands"
      audience = local.audiences["commands"]
      filter   = null
    } },
  )
}

resource "google_pubsub_subscription" "pushed" {
  for_each = local.pushed

  name                       = local.names[each.key]
  topic                      = each.value.topic
  filter                     = each.value.filter
  enable_message_ordering    = each.key != "commands"
  ack_deadline_seconds       = var.timeout_seconds
  message_retention_duration = local.retention

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.delivered[each.key].uri}${each.value.path}"

    oidc_token {
      service_account_email = google_service_account.deliverer["push"].email
      audience              = each.value.audience
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = var.attempts_max
  }

  # It never expires, however long nobody announces anything.
  expiration_policy {
    ttl = ""
  }

  depends_on = [google_pubsub_topic_iam_member.dead, google_cloud_run_v2_service_iam_member.delivers]
}

# What no function could handle, and not even set aside as a dead letter.
resource "google_pubsub_topic" "dead" {
  #checkov:skip=CKV_GCP_83:Personal data are sealed before they reach the topic; the service encrypts the rest with keys of its own.

  for_each = local.pushed

  name                       = "${local.names[each.key]}-dead"
  message_retention_duration = local.retention
}

resource "google_pubsub_subscription" "dead" {
  for_each = local.pushed

  name                       = "${local.names[each.key]}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = local.retention
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}

# The relay is told of each new commit.
resource "google_eventarc_trigger" "recorded" {
  for_each = local.relays

  name                    = local.names[each.key]
  location                = var.region
  service_account         = google_service_account.deliverer["eventarc"].email
  event_data_content_type = "application/protobuf"

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.firestore.document.v1.created"
  }

  matching_criteria {
    attribute = "database"
    value     = google_firestore_database.data.name
  }

  matching_criteria {
    attribute = "document"
    operator  = "match-path-pattern"
    value     = "streams/*/commits/*"
  }

  destination {
    cloud_run_service {
      service = google_cloud_run_v2_service.delivered[each.key].name
      region  = var.region
      path    = "/deliveries/commits"
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.delivers, google_project_iam_member.receiver]
}

# Commands with a time.
resource "google_cloud_tasks_queue" "commands" {
  name     = local.name
  location = var.region

  rate_limits {
    max_dispatches_per_second = 500
    max_concurrent_dispatches = 200
  }

  # What was tried too often would be gone without a word: the function itself makes a dead letter of
  # it, after 30 attempts at most.
  retry_config {
    max_attempts  = -1
    min_backoff   = "1s"
    max_backoff   = "600s"
    max_doublings = 10
  }
}

# A schedule looks for what the relay has missed.
resource "google_cloud_scheduler_job" "sweep" {
  name             = local.names["sweep"]
  region           = var.region
  description      = "Looks for what the relay of ${local.name} has missed"
  schedule         = "*/${var.sweep_minutes} * * * *"
  attempt_deadline = "${max(15, var.timeout_seconds)}s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.delivered["sweep"].uri}/deliveries/sweep"

    oidc_token {
      service_account_email = google_service_account.deliverer["schedule"].email
      audience              = local.audiences["sweep"]
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.delivers]
}
