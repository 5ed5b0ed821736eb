//! Which index a query needs, as Firestore itself demands it and its emulator does not ("Index
//! types in Cloud Firestore"), and that no field is written of which nobody said what index it has:
//! it would have one by itself.

use std::collections::BTreeSet;

use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use http::Response;
use skyfold_gcp::indexes::{IndexScope, fields, fields_of_keys};
use tonic::Status;
use tonic::body::Body;
use v1::structured_query::filter::FilterType;
use v1::structured_query::{Direction, Filter, Order};
use v1::write::Operation;
use v1::{
    BatchWriteRequest, CommitRequest, Document, RunQueryRequest, StructuredQuery, Write,
    run_query_request::QueryType,
};

use super::frames::{message, refusal};

/// The field that orders documents by their names, for which there always is an index, in ascending
/// order.
const NAME: &str = "__name__";

/// The refusal of `request` for `method`, if what it needs is not declared.
pub fn refuse(method: &str, request: &[u8]) -> Option<Response<Body>> {
    let lack = match method {
        "RunQuery" => index(request)?,
        "Commit" => field(message::<CommitRequest>(request).writes)?,
        "BatchWrite" => field(message::<BatchWriteRequest>(request).writes)?,
        _ => return None,
    };
    Some(refusal(Status::failed_precondition(format!("The query requires an index: {lack}"))))
}

/// A field that `writes` write and nobody declared.
fn field(writes: Vec<Write>) -> Option<String> {
    let declared: Vec<_> = fields().into_iter().chain(fields_of_keys()).collect();
    let undeclared = |document: Document| {
        let collection = document.name.rsplit('/').nth(1)?.to_owned();
        let mut names = document.fields.into_keys();
        let is_known = |name: &String| {
            declared.iter().any(|index| index.collection == collection && index.field == *name)
        };
        names.find(|name| !is_known(name)).map(|name| format!("the field {name} of {collection}"))
    };
    writes.into_iter().find_map(|write| match write.operation {
        Some(Operation::Update(document)) => undeclared(document),
        _ => None,
    })
}

/// An index that `request` needs and nobody declared.
fn index(request: &[u8]) -> Option<String> {
    let request: RunQueryRequest = message(request);
    let Some(QueryType::StructuredQuery(query)) = request.query_type else { return None };
    lack(&query)
}

/// What `query` needs and the declared indexes do not have.
fn lack(query: &StructuredQuery) -> Option<String> {
    let [from] = query.from.as_slice() else { return Some("of several collections".into()) };
    let mut named = BTreeSet::new();
    if let Some(filter) = &query.r#where {
        filtered(filter, &mut named);
    }
    named.extend(query.order_by.iter().map(field_of));
    let directions: BTreeSet<_> = query.order_by.iter().map(|order| order.direction).collect();
    if directions.len() > 1 {
        return Some(format!("in two directions, of {named:?}"));
    }
    named.remove(NAME);
    let descends = directions.contains(&Direction::Descending.into());
    match named.iter().collect::<Vec<_>>()[..] {
        [] if !descends && !from.all_descendants => None,
        [field] => {
            let scope = match from.all_descendants {
                true => IndexScope::CollectionGroup,
                false => IndexScope::Collection,
            };
            let is_declared = fields().iter().any(|index| {
                index.collection == from.collection_id
                    && index.field == *field
                    && index.scope == scope
            });
            (!is_declared).then(|| format!("{scope:?} of {} by {field}", from.collection_id))
        }
        _ => Some(format!("composite, of {} by {named:?}", from.collection_id)),
    }
}

/// Adds the fields that `filter` looks at.
fn filtered(filter: &Filter, named: &mut BTreeSet<String>) {
    match &filter.filter_type {
        Some(FilterType::CompositeFilter(composite)) => {
            composite.filters.iter().for_each(|filter| filtered(filter, named));
        }
        Some(FilterType::FieldFilter(filter)) => {
            named.extend(filter.field.as_ref().map(|field| field.field_path.clone()));
        }
        other => panic!("no query is to have {other:?}"),
    }
}

fn field_of(order: &Order) -> String {
    order.field.as_ref().map(|field| field.field_path.clone()).unwrap_or_default()
}
