//! Which index a query needs, as Firestore itself demands it and its emulator does not ("Index types
//! in Cloud Firestore").

use std::collections::BTreeSet;

use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use http::Response;
use skyfold_gcp::indexes::{IndexScope, fields};
use tonic::Status;
use tonic::body::Body;
use v1::structured_query::filter::FilterType;
use v1::structured_query::{Direction, Filter, Order};
use v1::{RunQueryRequest, StructuredQuery, run_query_request::QueryType};

use super::frames::{message, refusal};

/// The field that orders documents by their names, for which there always is an index, in ascending
/// order.
const NAME: &str = "__name__";

/// The refusal of `request`, if no index answers it.
pub fn refuse(request: &[u8]) -> Option<Response<Body>> {
    let request: RunQueryRequest = message(request);
    let Some(QueryType::StructuredQuery(query)) = request.query_type else { return None };
    let lack = lack(&query)?;
    Some(refusal(Status::failed_precondition(format!("The query requires an index: {lack}"))))
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
