# A workflow for each saga, if they are asked for: an execution for each transaction, which ends when
# the transaction does. It looks, and changes nothing: what a transaction is to do, its records in the
# database say, and the saga's service sees to it, with or without this.
locals {
  watched = toset([for key, function in local.functions : key if var.workflows && function.kind == "saga"])

  # The id of the first commit of a stream, and so that of what begins a transaction.
  first_commit = format("%020d", 1)
}

resource "google_workflows_workflow" "saga" {
  for_each = local.watched

  name                = local.names[each.key]
  region              = var.region
  description         = "Watches a transaction of ${each.key} of ${local.app} until it has ended."
  service_account     = google_service_account.deliverer["watch"].id
  deletion_protection = var.is_protected

  source_contents = jsonencode({
    main = {
      params = ["event"]
      steps = [
        # The document is named `streams/saga.fulfilment-1000/commits/…`.
        { begun = { assign = [{ transaction = "$${text.split(event.document, \"/\")[1]}" }] } },
        { look = {
          try = {
            call = "http.post"
            args = {
              url     = "${google_cloud_run_v2_service.delivered[each.key].uri}/deliveries/watch"
              body    = { transaction = "$${transaction}" }
              auth    = { type = "OIDC", audience = local.audiences[each.key] }
              timeout = var.timeout_seconds
            }
            result = "seen"
          }
          # What may pass: too many requests, and a service that cannot be reached.
          retry = {
            predicate   = "$${http.default_retry_predicate}"
            max_retries = 12
            backoff     = { initial_delay = 2, max_delay = 300, multiplier = 2 }
          }
        } },
        { has_ended = { switch = [{ condition = "$${seen.body.hasEnded}", next = "ended" }] } },
        { wait = { call = "sys.sleep", args = { seconds = "$${seen.body.waitSeconds}" }, next = "look" } },
        { ended = { return = { version = "$${seen.body.version}" } } },
      ]
    }
  })
}

# The first record of a transaction starts it. A record that is told of twice starts two executions,
# which see the same.
resource "google_eventarc_trigger" "begun" {
  for_each = local.watched

  name                    = "${local.names[each.key]}-begun"
  location                = var.region
  service_account         = google_service_account.deliverer["begun"].email
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
    value     = "streams/saga.${each.key}-*/commits/${local.first_commit}"
  }

  destination {
    workflow = google_workflows_workflow.saga[each.key].id
  }

  depends_on = [google_project_iam_member.begins]
}

# A workflow has no policy of its own: who may start one of the project's may start all of them.
resource "google_project_iam_member" "begins" {
  for_each = toset(var.workflows ? ["roles/eventarc.eventReceiver", "roles/workflows.invoker"] : [])

  project = var.project
  role    = each.value
  member  = google_service_account.deliverer["begun"].member
}

resource "google_monitoring_alert_policy" "unseen" {
  for_each = local.watched

  display_name          = "${local.name}: ${each.key} unseen"
  combiner              = "OR"
  notification_channels = var.alert_channels

  conditions {
    display_name = "unseen"

    condition_threshold {
      filter          = "resource.type = \"workflows.googleapis.com/Workflow\" AND resource.labels.workflow_id = \"${local.names[each.key]}\" AND metric.type = \"workflows.googleapis.com/finished_execution_count\" AND metric.labels.status = \"FAILED\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    content   = "A transaction of ${each.key} cannot be looked at: the execution says why. The transaction itself goes on without it."
    mime_type = "text/markdown"
  }
}
