use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use skyfold::{Error, ErrorKind, Result};

use crate::errors::{self, failed};
use crate::item::Item;

/// The items of `keys` of `table` as they are now, in no order, without those that do not exist.
pub(crate) async fn get(client: &Client, table: &str, keys: Vec<Item>) -> Result<Vec<Item>> {
    let what = errors::table(client, table);
    let Some(key) = keys.first().filter(|_| keys.len() == 1).cloned() else {
        return many(client, table, &what, keys).await;
    };
    let get = client.get_item().table_name(table).consistent_read(true).set_key(Some(key));
    let got = get.send().await.map_err(|error| failed(&what, error))?;
    Ok(got.item.into_iter().collect())
}

/// The same in as many answers as they take, of 16 MB each ("BatchGetItem").
async fn many(client: &Client, table: &str, what: &str, mut left: Vec<Item>) -> Result<Vec<Item>> {
    let mut found = vec![];
    while !left.is_empty() {
        let asked = left.len();
        let request = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(left));
        let request = request.build().map_err(|error| {
            Error::new(ErrorKind::Unexpected, format!("{what}: no request")).with_source(error)
        })?;
        let get = client.batch_get_item().request_items(table, request);
        let got = get.send().await.map_err(|error| failed(what, error))?;
        found.extend(got.responses.unwrap_or_default().into_values().flatten());
        let unprocessed = got.unprocessed_keys.unwrap_or_default().into_values();
        left = unprocessed.flat_map(|unprocessed| unprocessed.keys).collect();
        // It leaves out what does not fit its answer, and what it has no capacity for.
        if left.len() >= asked {
            let message = format!("{what}: it asks for fewer requests");
            return Err(Error::new(ErrorKind::Throttled, message));
        }
    }
    Ok(found)
}
