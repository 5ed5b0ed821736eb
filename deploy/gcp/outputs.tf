output "url" {
  description = "Where the app shows what it is: its page, its views, their lists and its health."
  value       = google_cloud_run_v2_service.asked["api"].uri
}

output "urls" {
  description = "Where each function answers that is asked over HTTP."
  value       = { for key, service in google_cloud_run_v2_service.asked : key => service.uri }
}

output "environment" {
  description = "What the program reads of the environment: for an operator's command line, without SKYFOLD_FUNCTION."
  value       = local.environment
}

output "services" {
  description = "The service of Cloud Run that each function of the app and of the host is."
  value = merge(
    { for key, service in google_cloud_run_v2_service.asked : key => service.name },
    { for key, service in google_cloud_run_v2_service.delivered : key => service.name },
  )
}

output "dead_letter_subscriptions" {
  description = "The subscriptions to what could not be handled, by whom."
  value       = { for key, subscription in google_pubsub_subscription.dead : key => subscription.id }
}

output "topic" {
  description = "The topic of events, for subscriptions of others."
  value       = google_pubsub_topic.events.id
}
