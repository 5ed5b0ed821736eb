//! What Eventarc brings when a commit was recorded: the doorbell of the relay.
//!
//! A trigger of type [`CREATED`] for the documents of [`PATH`] brings each new commit, at least
//! once and in any order ("Route Firestore events with Eventarc").

use googleapis_tonic_google_firestore_v1::google::firestore::v1::Document;
use prost::Message;
use skyfold::{Error, ErrorKind, RecordedCommit, Result};

use crate::events::{is_commit, to_commit};

/// The type of the events: `ce-type` ("google.cloud.firestore.document.v1.created").
pub const CREATED: &str = "google.cloud.firestore.document.v1.created";

/// The documents whose events are asked for, as a path pattern of the filter `document`.
pub const PATH: &str = "streams/*/commits/*";

/// As much as is needed of `google.events.cloud.firestore.v1.DocumentEventData`, whose documents
/// have the fields of those of the service itself.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DocumentEventData {
    /// The document after the change.
    #[prost(message, optional, tag = "1")]
    pub(crate) value: Option<Document>,
}

/// The commit that `data`, the body of an event in protobuf, says was recorded; `None` if it is
/// about another document, such as a snapshot.
///
/// ```
/// assert_eq!(skyfold_gcp::eventarc::recorded(&[]).unwrap(), None);
/// ```
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if it is no such event, [`Corrupt`](ErrorKind::Corrupt) if the
/// commit cannot be read.
pub fn recorded(data: &[u8]) -> Result<Option<RecordedCommit>> {
    document(data)?.as_ref().map(to_commit).transpose()
}

/// The document of a commit that `data` says was recorded; `None` if it is about another one.
pub(crate) fn document(data: &[u8]) -> Result<Option<Document>> {
    let data = DocumentEventData::decode(data).map_err(|error| {
        Error::new(ErrorKind::Invalid, "this is no event of Firestore").with_source(error)
    })?;
    Ok(data.value.filter(is_commit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_event_or_no_commit_is_told_apart() {
        assert_eq!(recorded(b"no protobuf").unwrap_err().kind(), ErrorKind::Invalid);
        let of = |path: &str| {
            let name = format!("projects/p/databases/(default)/documents/{path}");
            let value = Some(Document { name, ..Default::default() });
            DocumentEventData { value }.encode_to_vec()
        };
        for other in ["streams/order-1", "documents/views.1/items/1", "streams/a/b/c/commits/1"] {
            assert_eq!(recorded(&of(other)).unwrap(), None, "{other}");
        }
        let error = recorded(&of("streams/order-1/commits/00000000000000000001")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "it has no fields: {error}");
    }
}
