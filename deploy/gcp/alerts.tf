# The log of all functions, kept for as long as is asked for.
resource "google_logging_project_bucket_config" "this" {
  project        = var.project
  location       = var.region
  bucket_id      = local.name
  retention_days = var.log_days
}

resource "google_logging_project_sink" "this" {
  name                   = local.name
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.this.id}"
  filter                 = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name =~ \"^${local.name}-\""
  unique_writer_identity = true
}

# Dead letters of the app: each says so in the log.
resource "google_logging_metric" "letters" {
  name   = "${local.name}-letters"
  filter = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name =~ \"^${local.name}-\" AND \"set aside as a dead letter\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key        = "service"
      value_type = "STRING"
    }
  }

  label_extractors = {
    service = "EXTRACT(resource.labels.service_name)"
  }
}

locals {
  # What an alert looks at, the value above which it tells, and what it says.
  alerts = {
    letters = {
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.letters.name}\""
      above  = 0, seconds = 0, aligner = "ALIGN_SUM"
      text   = "Something was set aside: `dead-letters list` shows what, and why."
    }
    dead = {
      filter = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"${local.name}-.*-dead\")"
      above  = 0, seconds = 0, aligner = "ALIGN_MAX"
      text   = "What no function could handle is in a dead-letter subscription: see the function's log, mend it, and publish it again."
    }
    behind = {
      filter = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"${join("|", [for key in keys(local.pushed) : local.names[key]])}\")"
      above  = var.behind_seconds_max, seconds = 180, aligner = "ALIGN_MAX"
      text   = "What a function hears waits to be handled."
    }
    relay = {
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class != \"2xx\" AND resource.labels.service_name = monitoring.regex.full_match(\"${join("|", [for key in local.relays : local.names[key]])}\")"
      above  = 0, seconds = 300, aligner = "ALIGN_DELTA"
      text   = "Recorded events are not announced, or nobody lets their announcer in: every view falls behind."
    }
    errors = {
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"5xx\" AND resource.labels.service_name = monitoring.regex.full_match(\"${join("|", values(local.names))}\")"
      above  = 0, seconds = 180, aligner = "ALIGN_DELTA"
      text   = "Requests to a function fail."
    }
    latency = {
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_latencies\" AND resource.labels.service_name = monitoring.regex.full_match(\"${join("|", [for key in keys(local.asked) : local.names[key]])}\")"
      above  = 5000, seconds = 300, aligner = "ALIGN_PERCENTILE_99"
      text   = "Who asks a function waits for seconds."
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = "${local.name}: ${each.key}"
  combiner              = "OR"
  notification_channels = var.alert_channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.seconds}s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = each.value.aligner
      }
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }
}
