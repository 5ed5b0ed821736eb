//! Queries over one field, which the index of that field answers: none needs a composite one.

use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use v1::structured_query::{
    self, CollectionSelector, CompositeFilter, FieldFilter, FieldReference, Filter, Order,
    composite_filter, field_filter, filter,
};
use v1::{Cursor, StructuredQuery};

use super::{Value, ValueType, s};

/// The field that orders documents by their names.
const NAME: &str = "__name__";

/// Where a query looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In the collection that is directly below the parent.
    Collection,
    /// In all collections of that id, wherever they are.
    Group,
}

/// Which way a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// A query for documents by one field of text, or by their names.
#[derive(Clone, Debug)]
pub(crate) struct Select<'a> {
    /// The id of the collection.
    pub(crate) collection: &'a str,
    pub(crate) scope: Scope,
    /// The field; `None` for the names alone.
    pub(crate) field: Option<&'a str>,
    pub(crate) direction: Direction,
    /// The least value, itself included.
    pub(crate) from: Option<String>,
    /// The value before which all are.
    pub(crate) until: Option<String>,
    /// After which one: by its value, if there is a field, and its full name.
    pub(crate) after: Option<(Option<String>, String)>,
    pub(crate) limit: usize,
}

impl Select<'_> {
    /// The query as the service takes it.
    pub(crate) fn build(self) -> StructuredQuery {
        let field = self.field;
        let least = self.from.zip(field).map(|(value, field)| {
            compare(field, field_filter::Operator::GreaterThanOrEqual, value)
        });
        let below = self
            .until
            .zip(field)
            .map(|(value, field)| compare(field, field_filter::Operator::LessThan, value));
        let direction = match self.direction {
            Direction::Ascending => structured_query::Direction::Ascending,
            Direction::Descending => structured_query::Direction::Descending,
        };
        let order = |field: &str| Order {
            field: Some(FieldReference { field_path: field.to_owned() }),
            direction: direction.into(),
        };
        let cursor = self.after.map(|(value, name)| {
            let name = Value { value_type: Some(ValueType::ReferenceValue(name)) };
            Cursor { values: value.map(s).into_iter().chain([name]).collect(), before: false }
        });
        StructuredQuery {
            from: vec![CollectionSelector {
                collection_id: self.collection.to_owned(),
                all_descendants: self.scope == Scope::Group,
            }],
            r#where: all(least.into_iter().chain(below).collect()),
            order_by: field.into_iter().chain([NAME]).map(order).collect(),
            start_at: cursor,
            limit: Some(i32::try_from(self.limit).unwrap_or(i32::MAX)),
            ..Default::default()
        }
    }
}

fn compare(field: &str, operator: field_filter::Operator, value: String) -> Filter {
    let field = Some(FieldReference { field_path: field.to_owned() });
    let filter = FieldFilter { field, op: operator.into(), value: Some(s(value)) };
    Filter { filter_type: Some(filter::FilterType::FieldFilter(filter)) }
}

/// The filter that asks for all of `filters`.
fn all(mut filters: Vec<Filter>) -> Option<Filter> {
    if filters.len() < 2 {
        return filters.pop();
    }
    let filter = CompositeFilter { op: composite_filter::Operator::And.into(), filters };
    Some(Filter { filter_type: Some(filter::FilterType::CompositeFilter(filter)) })
}
