//! How large what is written may be, checked before it is sent.

use prost::Message as _;
use skyfold::{Error, ErrorKind, Result, adapter};

use super::{Document, Operation, Value, ValueType, Write};

/// How many bytes a document may have: 1 MiB ("Quotas and limits").
const DOCUMENT_BYTES_MAX: usize = 1_048_576;

/// How many bytes a value of a field may have: 1 MiB less 89 bytes ("Quotas and limits").
const VALUE_BYTES_MAX: usize = 1_048_487;

/// How many bytes a request may have. Firestore takes 10 MiB ("Quotas and limits"), its emulator
/// 4 MiB: the less is enough.
const REQUEST_BYTES_MAX: usize = 3 * 1024 * 1024;

/// How many writes a request may have ("BatchWriteRequest").
const REQUEST_WRITES_MAX: usize = 500;

/// Refuses `write` if its document is larger than the service takes.
///
/// # Errors
///
/// [`Oversized`](ErrorKind::Oversized) with the size and the limit.
pub(super) fn check_document(write: &Write) -> Result<()> {
    let Some(Operation::Update(document)) = &write.operation else { return Ok(()) };
    let bytes = document_bytes(document);
    let largest = document.fields.values().map(value_bytes).max().unwrap_or_default();
    let (bytes, limit) = match (bytes > DOCUMENT_BYTES_MAX, largest > VALUE_BYTES_MAX) {
        (false, false) => return Ok(()),
        (true, _) => (bytes, DOCUMENT_BYTES_MAX),
        (_, true) => (largest, VALUE_BYTES_MAX),
    };
    let message = format!("the document {} has {bytes} bytes, of at most {limit}", document.name);
    Err(Error::new(ErrorKind::Oversized, message))
}

/// `writes`, in order, as requests that the service takes.
pub(super) fn requests(mut writes: Vec<Write>) -> Vec<Vec<Write>> {
    let sizes: Vec<_> = writes.iter().map(Write::encoded_len).collect();
    let requests = adapter::requests(&sizes, REQUEST_WRITES_MAX, REQUEST_BYTES_MAX).into_iter();
    requests.map(|request| writes.drain(..request.len()).collect()).collect()
}

/// How many bytes `document` counts as ("Storage size calculations").
fn document_bytes(document: &Document) -> usize {
    let path = document.name.split_once("/documents/").map_or(&*document.name, |(_, path)| path);
    let name: usize = 16 + path.split('/').map(text_bytes).sum::<usize>();
    let field = |(name, value): (&String, &Value)| text_bytes(name) + value_bytes(value);
    name + document.fields.iter().map(field).sum::<usize>() + 32
}

fn value_bytes(value: &Value) -> usize {
    match &value.value_type {
        Some(ValueType::StringValue(text)) => text_bytes(text),
        Some(ValueType::BytesValue(bytes)) => bytes.len(),
        Some(ValueType::ArrayValue(array)) => array.values.iter().map(value_bytes).sum(),
        Some(ValueType::BooleanValue(_)) => 1,
        _ => 8,
    }
}

fn text_bytes(text: &str) -> usize {
    text.len() + 1
}

#[cfg(test)]
mod tests {
    use super::super::{Fields, s};
    use super::*;

    fn update(fields: Fields) -> Write {
        let name = "projects/p/databases/(default)/documents/users/jeff/tasks/my_task_id".into();
        let document = Document { name, fields, create_time: None, update_time: None };
        Write { operation: Some(Operation::Update(document)), ..Default::default() }
    }

    fn of(bytes: usize) -> Write {
        update(Fields::from([("b".to_owned(), s("x".repeat(bytes)))]))
    }

    #[test]
    fn a_document_counts_as_the_documentation_says() {
        let value = |value_type| Value { value_type: Some(value_type) };
        let fields = Fields::from([
            ("type".to_owned(), s("Personal")),
            ("done".to_owned(), value(ValueType::BooleanValue(false))),
            ("priority".to_owned(), value(ValueType::IntegerValue(1))),
            ("description".to_owned(), s("Learn Cloud Firestore")),
        ]);
        let Some(Operation::Update(document)) = update(fields).operation else { unreachable!() };
        // The example of that page: a name of 44 bytes, fields of 14, 6, 17 and 34.
        assert_eq!(document_bytes(&document), 147);
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_sent() {
        check_document(&of(VALUE_BYTES_MAX - 1)).unwrap();
        for bytes in [VALUE_BYTES_MAX, DOCUMENT_BYTES_MAX] {
            let error = check_document(&of(bytes)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Oversized);
            assert!(error.to_string().contains("of at most 1048"), "{error}");
        }
    }

    #[test]
    fn requests_hold_no_more_than_fits() {
        let count = |writes| requests(writes).iter().map(Vec::len).collect::<Vec<_>>();
        assert!(requests(vec![]).is_empty());
        assert_eq!(count(vec![of(1); 501]), [500, 1]);
        assert_eq!(count(vec![of(1_000_000); 7]), [3, 3, 1]);
    }
}
