//! A commit and a snapshot as documents.

use skyfold::adapter::{decode, encode, sort_key, unreadable};
use skyfold::ports::{Snapshot, Unreadable};
use skyfold::{Commit, Error, ErrorKind, RecordedCommit, Result, StreamName, Version};

use crate::firestore::{Document, Fields, s, text};

/// The collection of streams, each a document if it has a snapshot.
pub(crate) const STREAMS: &str = "streams";

/// The collection below each stream of its commits.
pub(crate) const COMMITS: &str = "commits";

/// What a document is about, as JSON.
pub(crate) const BODY: &str = "b";

/// The version of a commit's first event, once more as a field: what newest first is read by.
pub(crate) const VERSION: &str = "v";

/// The slice of the feed that a commit is in, and when it was appended.
pub(crate) const PLACE: &str = "f";

/// The version that a snapshot reflects.
pub(crate) const REFLECTS: &str = "n";

/// How many slices there are: a collection takes 500 writes a second to what lies side by side in
/// an index ("Best practices", "Quotas and limits"). Never to be made fewer.
pub(crate) const SLICES: u16 = 16;

/// Where in the feed `slice` begins, and the place `at` of it, if it says one.
pub(crate) fn in_slice(slice: u16, at: &str) -> String {
    format!("{slice:02}{at}")
}

/// Where the snapshot of `stream` is. Its name is a legal id: a category begins with a letter.
pub(crate) fn stream_path(stream: &StreamName) -> String {
    format!("{STREAMS}/{stream}")
}

/// Where the commit of `stream` is whose first event has `version`.
pub(crate) fn commit_path(stream: &StreamName, version: Version) -> String {
    format!("{}/{COMMITS}/{}", stream_path(stream), sort_key(version))
}

/// The fields of the commit whose JSON is `body`.
pub(crate) fn of_commit(first: Version, body: String, place: String) -> Fields {
    Fields::from([
        (BODY.to_owned(), s(body)),
        (VERSION.to_owned(), s(sort_key(first))),
        (PLACE.to_owned(), s(place)),
    ])
}

/// Whether `document` is where commits are.
pub(crate) fn is_commit(document: &Document) -> bool {
    let path = document.name.split_once("/documents/").map_or("", |(_, path)| path);
    matches!(path.split('/').collect::<Vec<_>>()[..], [STREAMS, _, COMMITS, _])
}

/// The commit that `document` is.
pub(crate) fn to_commit(document: &Document) -> Result<RecordedCommit> {
    let name = &document.name;
    let foreign = || Error::new(ErrorKind::Corrupt, format!("the document {name} is no commit"));
    let mut parts = name.rsplit('/');
    let (first, _, stream) = (parts.next(), parts.next(), parts.next());
    let first = first.and_then(|first| first.parse().ok()).map(Version).ok_or_else(foreign)?;
    let stream = stream.and_then(|stream| stream.parse::<StreamName>().ok());
    let stream = stream.ok_or_else(foreign)?;
    let commit: Commit = decode(&format!("the commit {stream}@{first}"), text(document, BODY)?)?;
    Ok(RecordedCommit { stream, first, commit })
}

/// The commit that `document` is, or which one cannot be read.
pub(crate) fn found(document: &Document) -> Result<RecordedCommit, Unreadable> {
    to_commit(document).map_err(|error| {
        let mut parts = document.name.rsplit('/');
        let (first, _, stream) = (parts.next(), parts.next(), parts.next());
        unreadable(stream, first, &error)
    })
}

/// The fields of `snapshot`.
pub(crate) fn of_snapshot(stream: &StreamName, snapshot: &Snapshot) -> Result<Fields> {
    let body = encode(&format!("the snapshot of {stream}"), &snapshot.state)?;
    let reflects = s(sort_key(snapshot.version));
    Ok(Fields::from([(BODY.to_owned(), s(body)), (REFLECTS.to_owned(), reflects)]))
}

/// The snapshot of `stream` that `document` is.
pub(crate) fn to_snapshot(stream: &StreamName, document: &Document) -> Result<Snapshot> {
    let what = format!("the snapshot of {stream}");
    let version = text(document, REFLECTS)?.parse().map(Version).map_err(|error| {
        let message = format!("{what} does not say what it reflects");
        Error::new(ErrorKind::Corrupt, message).with_source(error)
    })?;
    Ok(Snapshot { version, state: decode(&what, text(document, BODY)?)? })
}
