output "urls" {
  description = "Where each function app answers: `asked` for queries, views and lists, `commands` for commands."
  value       = { for app in ["asked", "commands"] : app => "https://${azurerm_function_app_flex_consumption.this[app].default_hostname}" }
}

output "environment" {
  description = "What the program reads of the environment: for an operator's command line."
  value       = local.environment
}

output "functions" {
  description = "The functions that each function app runs."
  value       = local.runs
}

output "dead_letters" {
  description = "The container of what Event Grid could not deliver."
  value       = azurerm_storage_container.dead.url
}
