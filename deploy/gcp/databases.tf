# Streams and documents: events can be restored to any minute of a week.
resource "google_firestore_database" "data" {
  name                              = local.name
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = local.protection
  deletion_policy                   = "DELETE"
}

# The keys of personal data. To forget somebody is to destroy their keys, and a backup would bring
# them back.
resource "google_firestore_database" "keys" {
  name                              = "${local.name}-keys"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = local.protection
  deletion_policy                   = "DELETE"
}

# Every field has the index that the adapter asks of, and no other: none is composite, and none
# depends on the app.
locals {
  protection = var.is_protected ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"

  fields = {
    "commits/b" = { database = "data", scope = null, forgets = false }
    "commits/f" = { database = "data", scope = "COLLECTION_GROUP", forgets = false }
    "commits/v" = { database = "data", scope = "COLLECTION", forgets = false }
    "streams/b" = { database = "data", scope = null, forgets = false }
    "streams/n" = { database = "data", scope = null, forgets = false }
    "items/b"   = { database = "data", scope = null, forgets = false }
    "items/e"   = { database = "data", scope = null, forgets = true }
    "items/r"   = { database = "data", scope = null, forgets = false }
    "items/x"   = { database = "data", scope = null, forgets = false }
    "items/l0"  = { database = "data", scope = "COLLECTION", forgets = false }
    "items/l1"  = { database = "data", scope = "COLLECTION", forgets = false }
    "items/l2"  = { database = "data", scope = "COLLECTION", forgets = false }

    "subjects/k" = { database = "keys", scope = null, forgets = false }
    "subjects/d" = { database = "keys", scope = null, forgets = false }
  }

  databases = {
    data = google_firestore_database.data.name
    keys = google_firestore_database.keys.name
  }
}

resource "google_firestore_field" "this" {
  for_each = local.fields

  database   = local.databases[each.value.database]
  collection = split("/", each.key)[0]
  field      = split("/", each.key)[1]

  index_config {
    dynamic "indexes" {
      for_each = each.value.scope == null ? [] : ["ASCENDING", "DESCENDING"]

      content {
        order       = indexes.value
        query_scope = each.value.scope
      }
    }
  }

  dynamic "ttl_config" {
    for_each = each.value.forgets ? [1] : []
    content {}
  }
}
