use prost_types::Timestamp;

use super::{Document, Fields, Operation, Precondition, Write, precondition};

/// A write that makes the document `name`, unless there is one.
pub(crate) fn create(name: String, fields: Fields) -> Write {
    replace(name, fields).if_absent()
}

/// A write that makes the document `name`, or puts it in the place of the one that there is.
pub(crate) fn replace(name: String, fields: Fields) -> Write {
    let document = Document { name, fields, create_time: None, update_time: None };
    Write { operation: Some(Operation::Update(document)), ..Default::default() }
}

/// A write that deletes the document `name`, if there is one.
pub(crate) fn delete(name: String) -> Write {
    Write { operation: Some(Operation::Delete(name)), ..Default::default() }
}

/// What must hold for a write to be made.
pub(crate) trait Guarded {
    /// The same, if there is no such document.
    fn if_absent(self) -> Self;

    /// The same, if the document was last changed at `time`.
    fn if_at(self, time: Timestamp) -> Self;
}

impl Guarded for Write {
    fn if_absent(self) -> Self {
        guarded(self, precondition::ConditionType::Exists(false))
    }

    fn if_at(self, time: Timestamp) -> Self {
        guarded(self, precondition::ConditionType::UpdateTime(time))
    }
}

fn guarded(write: Write, condition: precondition::ConditionType) -> Write {
    let current_document = Some(Precondition { condition_type: Some(condition) });
    Write { current_document, ..write }
}
