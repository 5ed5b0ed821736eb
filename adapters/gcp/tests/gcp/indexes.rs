use googleapis_tonic_google_firestore_v1::google::firestore::v1;
use skyfold_gcp::Wire;
use tonic::Code;
use v1::firestore_client::FirestoreClient;
use v1::run_query_request::QueryType;
use v1::structured_query::{
    CollectionSelector, CompositeFilter, Direction, FieldFilter, FieldReference, Filter, Order,
    composite_filter, field_filter, filter::FilterType,
};
use v1::value::ValueType;
use v1::write::Operation;
use v1::{CommitRequest, Document, RunQueryRequest, StructuredQuery, Value, Write};

use crate::common::{Line, calm, firestore, project};

/// A client over the line of every test, which refuses what the declared indexes do not answer.
async fn client() -> FirestoreClient<Wire> {
    let network = Wire::to(&firestore().await).unwrap();
    FirestoreClient::new(Wire::new(Line::new(network, calm())))
}

fn order(field: &str, direction: Direction) -> Order {
    let field = Some(FieldReference { field_path: field.into() });
    Order { field, direction: direction.into() }
}

/// A filter for one text in `field`.
fn equal(field: &str) -> Filter {
    let filter = FieldFilter {
        field: Some(FieldReference { field_path: field.into() }),
        op: field_filter::Operator::Equal.into(),
        value: Some(Value { value_type: Some(ValueType::StringValue("a".into())) }),
    };
    Filter { filter_type: Some(FilterType::FieldFilter(filter)) }
}

fn all(fields: &[&str]) -> Filter {
    let filters = fields.iter().map(|field| equal(field)).collect();
    let filter = CompositeFilter { op: composite_filter::Operator::And.into(), filters };
    Filter { filter_type: Some(FilterType::CompositeFilter(filter)) }
}

/// A query of a collection, or of all of that id.
fn query(id: &str, all_descendants: bool, filter: Filter, order_by: Vec<Order>) -> StructuredQuery {
    StructuredQuery {
        from: vec![CollectionSelector { collection_id: id.into(), all_descendants }],
        r#where: Some(filter),
        order_by,
        ..Default::default()
    }
}

pub(crate) async fn a_query_over_two_fields_or_of_a_field_without_an_index_is_refused() {
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let by_two = [order("l1", up), order("__name__", down)];
    for (query, is_answered) in [
        (query("items", false, equal("l0"), vec![order("l0", down)]), true),
        (query("commits", true, equal("f"), vec![order("f", up)]), true),
        (query("items", false, all(&["l0"]), vec![order("l1", up)]), false),
        (query("items", false, all(&["l0", "l1"]), vec![]), false),
        (query("items", false, equal("l1"), by_two.into()), false),
        (query("items", true, equal("l0"), vec![]), false),
        (query("commits", false, equal("f"), vec![]), false),
        (query("commits", false, equal("b"), vec![]), false),
        (query("others", false, equal("l0"), vec![]), false),
    ] {
        let request = RunQueryRequest {
            parent: format!("projects/{}/databases/(default)/documents", project()),
            query_type: Some(QueryType::StructuredQuery(query.clone())),
            ..Default::default()
        };
        let outcome = client().await.run_query(request).await.map(|_| ());
        let code = outcome.err().map(|status| status.code());
        let expected = (!is_answered).then_some(Code::FailedPrecondition);
        assert_eq!(code, expected, "{query:?}");
    }
}

pub(crate) async fn a_field_of_which_nobody_said_what_index_it_has_is_refused() {
    for (field, is_known) in [("b", true), ("z", false)] {
        let database = format!("projects/{}/databases/(default)", project());
        let text = Value { value_type: Some(ValueType::StringValue("a".into())) };
        let document = Document {
            name: format!("{database}/documents/streams/order-1/commits/1"),
            fields: [(field.to_owned(), text)].into(),
            ..Default::default()
        };
        let write = Write { operation: Some(Operation::Update(document)), ..Default::default() };
        let request = CommitRequest { database, writes: vec![write], transaction: vec![] };
        let outcome = client().await.commit(request).await;
        assert_eq!(outcome.is_ok(), is_known, "{field}: {outcome:?}");
    }
}
