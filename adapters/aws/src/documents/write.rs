use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::StreamExt as _;
use skyfold::adapter::{again, check_changes, check_write, guard_failed};
use skyfold::ports::{DocumentKey, Guard, Revision, Write};
use skyfold::{ErrorKind, Payload, Result};

use super::Documents;
use super::item::{item_key, millis, of_write};
use crate::errors::failed;
use crate::item::{n, s};

/// How many writes of one batch are on their way at once.
const CONCURRENT_MAX: usize = 16;

/// A condition, and the values it names.
struct Condition {
    text: Option<&'static str>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Documents {
    /// Makes each change. There is no request that makes several and answers for each of them: a
    /// transaction makes all or none, and a batch takes no conditions.
    pub(crate) async fn put(&self, batch: &[Write]) -> Vec<Result<Revision>> {
        if let Err(error) = check_changes(batch) {
            return batch.iter().map(|_| Err(again(&error))).collect();
        }
        let mut writes = vec![];
        for write in batch {
            writes.push(self.apply(write));
        }
        futures::stream::iter(writes).buffered(CONCURRENT_MAX).collect().await
    }

    async fn apply(&self, write: &Write) -> Result<Revision> {
        check_write(write)?;
        let condition = self.condition(&write.guard);
        let written = match &write.body {
            Some(body) => self.replace(write, body, condition).await,
            None => self.delete(&write.key, condition).await,
        };
        written.map_err(|error| match error.kind() {
            ErrorKind::Conflict => guard_failed(write, error),
            _ => error,
        })
    }

    async fn replace(
        &self,
        write: &Write,
        body: &Payload,
        condition: Condition,
    ) -> Result<Revision> {
        let (item, revision) = of_write(write, body);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .set_condition_expression(condition.text.map(str::to_owned))
            .set_expression_attribute_values(condition.values);
        put.send().await.map_err(|error| failed(&self.what(), error))?;
        Ok(revision)
    }

    async fn delete(&self, key: &DocumentKey, condition: Condition) -> Result<Revision> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete
            .set_key(Some(item_key(key)))
            .set_condition_expression(condition.text.map(str::to_owned))
            .set_expression_attribute_values(condition.values);
        delete.send().await.map_err(|error| failed(&self.what(), error))?;
        // What is gone is at no revision: one that never was.
        Ok(Revision(uuid::Uuid::now_v7().simple().to_string()))
    }

    /// What `guard` asks of an item, to which one that has expired is absent.
    fn condition(&self, guard: &Guard) -> Condition {
        let now = (":now".to_owned(), n(millis(self.clock.now())));
        let (text, values) = match guard {
            Guard::None => return Condition { text: None, values: None },
            Guard::Absent => ("attribute_not_exists(PK) OR X <= :now", vec![now]),
            Guard::At(Revision(revision)) => (
                "V = :revision AND (attribute_not_exists(X) OR X > :now)",
                vec![now, (":revision".to_owned(), s(revision))],
            ),
        };
        Condition { text: Some(text), values: Some(values.into_iter().collect()) }
    }
}
