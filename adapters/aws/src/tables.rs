//! The tables, as they must be: for tests, and for whoever makes them by hand. What runs in an
//! account is made by the Terraform of the project, with backups and alarms.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use skyfold::limits::LISTS_MAX;
use skyfold::{Error, ErrorKind, Result};

use crate::documents::{FORGET_AFTER, by_attribute, list_index, under_attribute};
use crate::errors::{self, failed};
use crate::events::{AT, Feed, INDEX, SLICE};
use crate::item::{PARTITION, SORT};

/// Makes the table `name` of events, whose stream brings each new commit, and the index that
/// `feed` asks for.
///
/// # Errors
///
/// Those of the service; [`Unexpected`](ErrorKind::Unexpected) if there is such a table.
pub async fn create_events(client: &Client, name: &str, feed: Feed) -> Result<()> {
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage);
    let stream = stream.build().map_err(incomplete)?;
    let mut table = keyed(client, name)?.stream_specification(stream);
    if feed == Feed::Index {
        table = indexed(table, INDEX, SLICE, AT)?;
    }
    table.send().await.map_err(|error| failed(&errors::table(client, name), error))?;
    Ok(())
}

/// Makes the table `name` of documents, with an index for each list, and a time to live.
///
/// # Errors
///
/// Those of the service; [`Unexpected`](ErrorKind::Unexpected) if there is such a table.
pub async fn create_documents(client: &Client, name: &str) -> Result<()> {
    let mut table = keyed(client, name)?;
    for list in 0..LISTS_MAX {
        let (under, by) = (under_attribute(list), by_attribute(list));
        table = indexed(table, &list_index(list), &under, &by)?;
    }
    let what = errors::table(client, name);
    table.send().await.map_err(|error| failed(&what, error))?;
    let forgets = TimeToLiveSpecification::builder().attribute_name(FORGET_AFTER).enabled(true);
    let update = client.update_time_to_live().table_name(name);
    let update = update.time_to_live_specification(forgets.build().map_err(incomplete)?);
    update.send().await.map_err(|error| failed(&what, error))?;
    Ok(())
}

/// Makes the table `name` of the keys of personal data. Outside tests it is encrypted under a key
/// of the account's own, and never backed up: a restored backup would bring back who was forgotten.
///
/// # Errors
///
/// Those of the service; [`Unexpected`](ErrorKind::Unexpected) if there is such a table.
pub async fn create_keys(client: &Client, name: &str) -> Result<()> {
    let created = keyed(client, name)?.send().await;
    created.map_err(|error| failed(&errors::table(client, name), error))?;
    Ok(())
}

fn keyed(client: &Client, name: &str) -> Result<CreateTableFluentBuilder> {
    let table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    Ok(table
        .attribute_definitions(of_text(PARTITION)?)
        .attribute_definitions(of_text(SORT)?)
        .key_schema(element(PARTITION, KeyType::Hash)?)
        .key_schema(element(SORT, KeyType::Range)?))
}

/// `table` with an index of whole items by `partition` and `sort`.
fn indexed(
    table: CreateTableFluentBuilder,
    name: &str,
    partition: &str,
    sort: &str,
) -> Result<CreateTableFluentBuilder> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(element(partition, KeyType::Hash)?)
        .key_schema(element(sort, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .map_err(incomplete)?;
    Ok(table
        .attribute_definitions(of_text(partition)?)
        .attribute_definitions(of_text(sort)?)
        .global_secondary_indexes(index))
}

fn of_text(name: &str) -> Result<AttributeDefinition> {
    let text = ScalarAttributeType::S;
    let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(text);
    definition.build().map_err(incomplete)
}

fn element(name: &str, key_type: KeyType) -> Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().map_err(incomplete)
}

fn incomplete(error: BuildError) -> Error {
    Error::new(ErrorKind::Unexpected, "the description of the table lacks a part")
        .with_source(error)
}
