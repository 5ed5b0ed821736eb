//! What fits on every store and bus, checked by core before any call, on every adapter.
//!
//! Each is well inside the tightest service: a DynamoDB item holds 400 KB ("Quotas in Amazon
//! DynamoDB"), a Firestore document 1 MiB ("Quotas and limits"), a Cosmos DB item 2 MB ("Azure
//! Cosmos DB service quotas").

use std::time::Duration;

/// How many events one command may record.
pub const COMMIT_EVENTS_MAX: usize = 64;

/// How many bytes the encoded payload of one event may have: 128 KiB.
pub const EVENT_BYTES_MAX: usize = 128 * 1024;

/// How many bytes the payloads of one commit may have together: 256 KiB.
pub const COMMIT_BYTES_MAX: usize = 256 * 1024;

/// How many bytes an encoded command may have: what one commit holds, since a command that says
/// more than its events can keep is not worth accepting.
pub const COMMAND_BYTES_MAX: usize = COMMIT_BYTES_MAX;

/// How many characters a stream id, a view key, a list entry or a command id may have.
pub const ID_CHARS_MAX: usize = 128;

/// How many characters a category, a read model's or a function's name may have.
pub const NAME_CHARS_MAX: usize = 48;

/// How many characters a document's id may have: what a stream's name takes, after which
/// checkpoints are named.
pub const DOCUMENT_ID_CHARS_MAX: usize = NAME_CHARS_MAX + 1 + ID_CHARS_MAX;

/// How many characters the correlation of a request may have: as many as an id, which it often is.
pub const CORRELATION_CHARS_MAX: usize = ID_CHARS_MAX;

/// How many characters a causation may have: what the id of an event takes, a stream's name, an
/// `@` and a version of up to 20 digits.
pub const CAUSATION_CHARS_MAX: usize = DOCUMENT_ID_CHARS_MAX + 1 + 20;

/// How many characters a trace context may have, as its first version does ("Trace Context",
/// section 3.2.2).
pub const TRACEPARENT_CHARS_MAX: usize = 55;

/// How many bytes a document may have, bookkeeping included: 256 KiB.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// How many documents one read or write of a batch may name.
pub const BATCH_DOCUMENTS_MAX: usize = 100;

/// How many documents or commits one page may hold.
pub const PAGE_ITEMS_MAX: usize = 100;

/// How long after it was appended a commit may be missing from the feed, at most. Those who compare
/// views with the feed, or repair them from it, wait so long.
pub const FEED_LAG_MAX: Duration = Duration::from_secs(10);

/// How many lists the views of one projection may appear in.
pub const LISTS_MAX: usize = 3;

/// How many timers one transaction of a saga may have set: each of its records names them all.
pub const TIMERS_MAX: usize = 32;

/// How many commands one batch may send.
pub const BATCH_COMMANDS_MAX: usize = 100;

/// How many subjects one read of a key store may name.
pub const BATCH_SUBJECTS_MAX: usize = 100;

/// How many keys one subject may have: how often they may be renewed.
pub const SUBJECT_KEYS_MAX: u32 = 64;
