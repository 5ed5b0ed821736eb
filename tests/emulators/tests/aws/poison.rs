use aws_sdk_dynamodb::types::AttributeValue;
use libtest_mimic::Failed;
use serde_json::json;
use skyfold::RecordedCommit;
use skyfold_cli::Client;

use crate::common::poison;
use crate::installation::Installation;

pub(crate) fn redriven(aws: &Installation) -> Result<(), Failed> {
    let client = Client::http(&aws.url, order::app().manifest()).unwrap();
    let runtime = aws.runtime();
    let mend = async |commit| mend(aws, &commit).await;
    aws.tokio.block_on(poison::redriven(&runtime, &client, mend));
    Ok(())
}

/// Puts `mended` in the place of what was recorded, as somebody does who mends what a defect has
/// written.
async fn mend(aws: &Installation, mended: &RecordedCommit) {
    let text = |text: String| AttributeValue::S(text);
    let update = aws.clients.dynamodb.update_item().table_name(&aws.names.events);
    let update = update
        .key("PK", text(mended.stream.to_string()))
        .key("SK", text(format!("{:020}", mended.first.0)))
        .update_expression("SET B = :body")
        .expression_attribute_values(":body", text(serde_json::to_string(&mended.commit).unwrap()));
    update.send().await.unwrap();
}

pub(crate) fn direct(aws: &Installation) -> Result<(), Failed> {
    let path = "/2015-03-31/functions/order-stock/invocations";
    let command = json!({ "Receive": { "quantity": 3, "reason": "delivery" } });
    let request = json!({ "stream": "direct", "id": "c-1", "command": command });
    let call = json!({ "category": "stock", "request": request });
    for is_replayed in [false, true] {
        let receipt = aws.ministack.rest("lambda", "POST", path, &call);
        assert_eq!(receipt["events"], json!(["stock-direct@1"]), "{receipt}");
        assert_eq!(receipt["replayed"], is_replayed);
    }
    let unknown = json!({ "category": "gate", "request": call["request"] });
    let failure = aws.ministack.rest("lambda", "POST", path, &unknown);
    assert_eq!(failure["errorType"], "Skyfold.not-found", "{failure}");
    Ok(())
}
