use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use skyfold::adapter::check_subjects;
use skyfold::ports::{KeyStore, Keyring, SubjectKey, check_key_number};
use skyfold::{Error, ErrorKind, Result, StreamId};

use crate::errors::{failed, table};
use crate::gets::get;
use crate::item::{Item, PARTITION, key, n, text};

/// The sort key of every item.
const KEYS: &str = "KEYS";

/// The keys of a subject, oldest first.
const RING: &str = "K";

/// Whether they were destroyed.
const DESTROYED: &str = "D";

/// A table of the keys of subjects: one that is not backed up, and encrypted under a key of the
/// account's own ("DynamoDB encryption at rest").
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Keys {
    fn what(&self) -> String {
        table(&self.client, &self.table)
    }

    /// The change that adds `subject_key`, if it is the next one.
    fn adding(
        &self,
        subject: &StreamId,
        number: u32,
        subject_key: &SubjectKey,
    ) -> UpdateItemFluentBuilder {
        let subject_key = AttributeValue::B(Blob::new(subject_key.as_bytes().to_vec()));
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(subject.as_str(), KEYS)))
            .expression_attribute_values(":key", AttributeValue::L(vec![subject_key]))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        match number {
            1 => update
                .update_expression("SET K = :key")
                .condition_expression("attribute_not_exists(PK)"),
            number => update
                .update_expression("SET K = list_append(K, :key)")
                .condition_expression("attribute_not_exists(D) AND size(K) = :count")
                .expression_attribute_values(":count", n(number.saturating_sub(1))),
        }
    }
}

/// What `item` keeps.
fn ring(item: Option<&Item>) -> Result<Keyring> {
    let Some(item) = item.filter(|item| !item.is_empty()) else { return Ok(Keyring::Empty) };
    if item.contains_key(DESTROYED) {
        return Ok(Keyring::Destroyed);
    }
    let keys = item.get(RING).and_then(|ring| ring.as_l().ok()).and_then(|ring| {
        ring.iter().map(subject_key).collect::<Option<Vec<_>>>().filter(|ring| !ring.is_empty())
    });
    keys.map(Keyring::Keys)
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the keys of a subject cannot be read"))
}

fn subject_key(value: &AttributeValue) -> Option<SubjectKey> {
    let bytes = value.as_b().ok()?.as_ref();
    Some(SubjectKey::from_bytes(bytes.try_into().ok()?))
}

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, subjects: &[StreamId]) -> Result<Vec<Keyring>> {
        check_subjects(subjects.len())?;
        let keys = subjects.iter().map(|subject| key(subject.as_str(), KEYS)).collect();
        let mut found = HashMap::new();
        for item in get(&self.client, &self.table, keys).await? {
            found.insert(text(&item, PARTITION)?.to_owned(), ring(Some(&item))?);
        }
        let kept = |subject: &StreamId| found.remove(subject.as_str()).unwrap_or_default();
        Ok(subjects.iter().map(kept).collect())
    }

    async fn create(
        &self,
        subject: &StreamId,
        number: u32,
        subject_key: &SubjectKey,
    ) -> Result<Keyring> {
        if number == 0 || number > skyfold::limits::SUBJECT_KEYS_MAX {
            // No subject has so many keys that this could be the next one.
            check_key_number(subject, number, 0)?;
        }
        match self.adding(subject, number, subject_key).send().await {
            Ok(updated) => ring(updated.attributes.as_ref()),
            Err(error) => {
                let kept = match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(met)) => {
                        ring(met.item())?
                    }
                    _ => return Err(failed(&self.what(), error)),
                };
                match &kept {
                    Keyring::Destroyed => {}
                    Keyring::Empty => check_key_number(subject, number, 0)?,
                    Keyring::Keys(keys) => check_key_number(subject, number, keys.len())?,
                }
                Ok(kept)
            }
        }
    }

    async fn destroy(&self, subject: &StreamId) -> Result<()> {
        let mut item = key(subject.as_str(), KEYS);
        item.insert(DESTROYED.to_owned(), AttributeValue::Bool(true));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|error| failed(&self.what(), error))?;
        Ok(())
    }
}
