# One image, and a service of Cloud Run for each function of the app and of the host: each has the
# rights of its own kind alone, and its own number of instances.
locals {
  # What the program reads: `Gcp::from_environment`.
  environment = {
    SKYFOLD_DATABASE        = google_firestore_database.data.id
    SKYFOLD_KEYS_DATABASE   = google_firestore_database.keys.id
    SKYFOLD_TOPIC           = google_pubsub_topic.events.id
    SKYFOLD_IMMEDIATE_TOPIC = google_pubsub_topic.commands.id
    SKYFOLD_QUEUE           = google_cloud_tasks_queue.commands.id
    SKYFOLD_TARGET_URL      = local.commands_url
    SKYFOLD_TARGET_ACCOUNT  = google_service_account.deliverer["queue"].email
    RUST_LOG                = var.log_filter
  }

  # What the tokens of deliveries are for: an audience of our own where one can be said, the address
  # of the service where it is made up by who delivers. A service has two addresses, and those of one
  # project and region differ by the name alone.
  tokens = { for key, function in local.delivered : key => join(",", concat(
    [local.audiences[key]],
    key == "commands" ? [local.commands_url] : [],
    function.kind == "relay" ? flatten([
      for url in [local.urls[key], replace(google_cloud_run_v2_service.asked["api"].uri, local.names["api"], local.names[key])] :
      [url, "${url}/deliveries/commits"]
    ]) : [],
  )) }

  # Who delivers to whom.
  deliverers = { for key, function in local.delivered : key => (
    key == "commands" ? ["push", "queue"] :
    key == "sweep" ? ["schedule"] :
    function.kind == "relay" ? ["eventarc"] :
    contains(local.watched, key) ? ["push", "watch"] : ["push"]
  ) }
}

resource "google_cloud_run_v2_service" "asked" {
  for_each = local.asked

  name                = local.names[each.key]
  location            = var.region
  description         = "${local.app}: ${each.key} (${each.value.kind})"
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.is_protected

  template {
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = lookup(var.warm_instances, each.key, 0)
      max_instance_count = var.instances_max
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(local.environment, { SKYFOLD_FUNCTION = each.key })

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  depends_on = [google_project_iam_member.data, google_project_iam_member.keys]
}

resource "google_cloud_run_v2_service" "delivered" {
  for_each = local.delivered

  name                = local.names[each.key]
  location            = var.region
  description         = "${local.app}: ${each.key} (${each.value.kind})"
  deletion_protection = var.is_protected

  # Reached by Google's services of this project alone. The program looks at their tokens itself:
  # Cloud Run's own check would take the signatures off them.
  ingress              = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  invoker_iam_disabled = true

  template {
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = 80

    scaling {
      min_instance_count = lookup(var.warm_instances, each.key, 0)
      max_instance_count = var.instances_max
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(local.environment, {
          SKYFOLD_FUNCTION  = each.key
          SKYFOLD_AUDIENCES = local.tokens[each.key]
          SKYFOLD_CALLERS   = join(",", [for who in local.deliverers[each.key] : google_service_account.deliverer[who].email])
        })

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  depends_on = [google_project_iam_member.data, google_project_iam_member.keys]
}
