use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::KeySchemaElement;
use deploy::{Resources, Tools};
use serde_json::Value;
use skyfold_aws::{Feed, tables};

use crate::{copy, made};

/// What matters of a table.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// The partition key and the sort key.
    keys: Vec<String>,
    /// Attributes that are keys of anything, and their types.
    attributes: BTreeSet<(String, String)>,
    /// The indexes, by name: partition key, sort key, and what of an item they hold.
    indexes: BTreeMap<String, (Vec<String>, String)>,
    /// What its stream brings.
    stream: Option<String>,
    /// The attribute that says when an item may be forgotten.
    forgets: Option<String>,
    billing: String,
}

pub(crate) fn same(tools: &Tools) {
    let scanned = copy("scan").with("is_public", "true").with("feed", "scan");
    let scanned = scanned.apply(tools).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (feed, made) in [(Feed::Index, made(tools)), (Feed::Scan, &scanned)] {
        for (name, wanted) in runtime.block_on(wanted(feed)) {
            assert_eq!(of_terraform(made, name), wanted, "{name} with {feed:?}");
        }
    }
}

/// The tables as the adapter makes them, in a database that is asked what they are.
async fn wanted(feed: Feed) -> Vec<(&'static str, Layout)> {
    let client = client().await;
    tables::create_events(&client, "events", feed).await.unwrap();
    tables::create_documents(&client, "documents").await.unwrap();
    tables::create_keys(&client, "the-keys").await.unwrap();
    let mut layouts = vec![];
    for (name, table) in [("events", "events"), ("documents", "documents"), ("keys", "the-keys")] {
        layouts.push((name, of_service(&client, table).await));
    }
    layouts
}

async fn client() -> Client {
    let database = dynoxide::Database::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(format!("http://{address}"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

async fn of_service(client: &Client, name: &str) -> Layout {
    let described = client.describe_table().table_name(name).send().await.unwrap();
    let table = described.table.unwrap();
    let attributes = table.attribute_definitions().iter();
    let attributes = attributes
        .map(|a| (a.attribute_name.clone(), a.attribute_type.as_str().to_owned()))
        .collect();
    let indexes = table.global_secondary_indexes().iter().map(|index| {
        let projected = index.projection().unwrap().projection_type().unwrap().as_str().to_owned();
        (index.index_name().unwrap().to_owned(), (keys(index.key_schema()), projected))
    });
    let stream = table.stream_specification().and_then(|stream| stream.stream_view_type());
    let forgets = client.describe_time_to_live().table_name(name).send().await.unwrap();
    let forgets = forgets.time_to_live_description.unwrap().attribute_name;
    Layout {
        keys: keys(table.key_schema()),
        attributes,
        indexes: indexes.collect(),
        stream: stream.map(|stream| stream.as_str().to_owned()),
        forgets,
        billing: table.billing_mode_summary.unwrap().billing_mode.unwrap().as_str().to_owned(),
    }
}

fn keys(schema: &[KeySchemaElement]) -> Vec<String> {
    let mut schema = schema.to_vec();
    schema.sort_by_key(|element| element.key_type.as_str() != "HASH");
    schema.into_iter().map(|element| element.attribute_name).collect()
}

fn of_terraform(made: &Resources, name: &str) -> Layout {
    let table = &made.at(&format!("aws_dynamodb_table.{name}")).values;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let attributes = list(&table["attribute"]);
    let attributes = attributes.iter().map(|a| (text(&a["name"]), text(&a["type"]))).collect();
    let indexes = list(&table["global_secondary_index"]).into_iter().map(|index| {
        let schema = list(&index["key_schema"]);
        let key = |kind: &str| schema.iter().find(|key| key["key_type"] == kind).unwrap().clone();
        let keys = ["HASH", "RANGE"].map(|kind| text(&key(kind)["attribute_name"]));
        (text(&index["name"]), (keys.to_vec(), text(&index["projection_type"])))
    });
    let forgets = list(&table["ttl"]).into_iter().find(|ttl| ttl["enabled"] == true);
    Layout {
        keys: ["hash_key", "range_key"].map(|key| text(&table[key])).to_vec(),
        attributes,
        indexes: indexes.collect(),
        stream: (table["stream_enabled"] == true).then(|| text(&table["stream_view_type"])),
        forgets: forgets.map(|ttl| text(&ttl["attribute_name"])),
        billing: text(&table["billing_mode"]),
    }
}
