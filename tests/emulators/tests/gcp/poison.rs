use std::collections::HashMap;

use firestore::firestore_client::FirestoreClient;
use firestore::value::ValueType;
use firestore::{Document, DocumentMask, UpdateDocumentRequest, Value};
use googleapis_tonic_google_firestore_v1::google::firestore::v1 as firestore;
use skyfold::RecordedCommit;
use skyfold_cli::Client;

use crate::common::poison;
use crate::installation::Installation;
use crate::line::{Gate, Line};

pub(crate) fn redriven(gcp: &Installation) {
    let client = Client::http(&gcp.url, order::app().manifest()).unwrap();
    let mend = async |commit| mend(gcp, &commit).await;
    gcp.tokio.block_on(poison::redriven(&gcp.runtime(), &client, mend));
}

/// Puts `mended` in the place of what was recorded, as somebody does who mends what a defect has
/// written.
async fn mend(gcp: &Installation, mended: &RecordedCommit) {
    let RecordedCommit { stream, first, commit } = mended;
    let body = ValueType::StringValue(serde_json::to_string(commit).unwrap());
    let path = format!("streams/{stream}/commits/{:020}", first.0);
    let document = Document {
        name: format!("projects/order/databases/(default)/documents/{path}"),
        fields: HashMap::from([("b".into(), Value { value_type: Some(body) })])
            .into_iter()
            .collect(),
        ..Default::default()
    };
    let request = UpdateDocumentRequest {
        document: Some(document),
        update_mask: Some(DocumentMask { field_paths: vec!["b".into()] }),
        ..Default::default()
    };
    let wire = Line::wire(&gcp.firestore.url(), Gate::default().into());
    FirestoreClient::new(wire).update_document(request).await.unwrap();
}
