//! What a document store of any cloud would refuse.

use std::collections::BTreeSet;

use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_ID_CHARS_MAX, ID_CHARS_MAX, LISTS_MAX};
use crate::ports::{DocumentKey, ListQuery, ScanQuery, Write};
use crate::{Error, ErrorKind, Result};

fn invalid(message: String) -> Result<()> {
    Err(Error::new(ErrorKind::Invalid, message))
}

/// Refuses a key that would not be legal everywhere.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it would not.
pub fn check_key(key: &DocumentKey) -> Result<()> {
    check_collection(&key.collection)?;
    check_text("the document id", &key.id, DOCUMENT_ID_CHARS_MAX)
}

/// Refuses a write that would not fit everywhere.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it would not, [`Oversized`](ErrorKind::Oversized) if its body
/// is too large.
pub fn check_write(write: &Write) -> Result<()> {
    check_key(&write.key)?;
    let mut lists = BTreeSet::new();
    for listing in &write.listings {
        check_list(listing.list)?;
        check_text("what the list is of,", &listing.under, ID_CHARS_MAX)?;
        check_text("what the list is ordered by,", &listing.by, ID_CHARS_MAX)?;
        if !lists.insert(listing.list) {
            return invalid(format!("{:?} is in the list {} twice", write.key, listing.list));
        }
    }
    let bytes = write.body.as_ref().map_or(0, |body| body.bytes());
    if bytes > DOCUMENT_BYTES_MAX {
        let DocumentKey { collection, id } = &write.key;
        let message = format!(
            "the document {id} of {collection} has {bytes} bytes, of at most {DOCUMENT_BYTES_MAX}"
        );
        return Err(Error::new(ErrorKind::Oversized, message));
    }
    Ok(())
}

/// Refuses a query that no list could answer.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if none could.
pub fn check_query(query: &ListQuery) -> Result<()> {
    check_collection(&query.collection)?;
    check_list(query.list)?;
    check_text("what the list is of,", &query.under, ID_CHARS_MAX)?;
    check_limit(query.limit)
}

/// Refuses a scan that no collection could answer.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if none could.
pub fn check_scan(query: &ScanQuery) -> Result<()> {
    check_collection(&query.collection)?;
    check_limit(query.limit)
}

fn check_limit(limit: usize) -> Result<()> {
    match limit {
        0 => invalid("a page of 0 documents: ask for at least 1".to_owned()),
        _ => Ok(()),
    }
}

fn check_collection(name: &str) -> Result<()> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    if !name.is_empty() && name.bytes().all(legal) {
        return Ok(());
    }
    invalid(format!("the collection {name:?} is not of a-z 0-9 . - _"))
}

fn check_list(list: usize) -> Result<()> {
    match list < LISTS_MAX {
        true => Ok(()),
        false => invalid(format!("there is no list {list}, only 0 to {}", LISTS_MAX - 1)),
    }
}

fn check_text(what: &str, text: &str, chars_max: usize) -> Result<()> {
    let chars = text.chars().count();
    if (1..=chars_max).contains(&chars) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    invalid(format!(
        "{what} {text:?} of {chars} characters is not 1 to {chars_max} without control characters"
    ))
}
