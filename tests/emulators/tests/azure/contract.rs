use serde_json::{Value, json};

use crate::installation::Installation;

/// What the Functions host posts for each trigger, as its source has it, for an app that has
/// accounts; the function app and the trigger that it is for; and whether this app is done with it:
/// it announces by reference the commit, which cannot be read. It has no accounts, so that an event
/// of one comes again, and a command of one is set aside.
const GOLDEN: [(&str, &str, &str, bool); 4] = [
    (
        include_str!("../../../../adapters/azure/src/host/tests/golden/cosmos-db-trigger.json"),
        "relay",
        "cosmosDBTrigger",
        true,
    ),
    (
        include_str!("../../../../adapters/azure/src/host/tests/golden/event-grid-trigger.json"),
        "consumers",
        "eventGridTrigger",
        false,
    ),
    (
        include_str!("../../../../adapters/azure/src/host/tests/golden/queue-trigger.json"),
        "commands",
        "queueTrigger",
        true,
    ),
    (
        include_str!("../../../../adapters/azure/src/host/tests/golden/timer-trigger.json"),
        "relay",
        "timerTrigger",
        true,
    ),
];

/// The program answers what the Functions host posts, and says what must come again.
pub(crate) fn golden(azure: &Installation) {
    for (golden, app, kind, is_done) in GOLDEN {
        let golden: Value = serde_json::from_str(golden).unwrap();
        let app = &azure.apps[app];
        let function = app.functions.iter().find(|function| function.kind() == kind).unwrap();
        let binding = function.trigger["name"].as_str().unwrap();
        let brought = &golden["Data"][binding];
        assert!(!brought.is_null(), "the package binds {kind} to {binding}");
        let metadata = golden["Metadata"].clone();
        assert_eq!(golden, function.invocation(brought, metadata.clone()));
        let fired = azure.tokio.block_on(app.fire(function, brought, metadata));
        assert_eq!(fired, is_done, "{kind}");
    }
    let nobody = azure.apps["relay"].url().to_owned() + "/nobody";
    let body = json!({ "Data": {}, "Metadata": {} }).to_string();
    let asked = azure.apps["relay"].client.post(nobody).body(body);
    let status = azure.tokio.block_on(asked.send()).unwrap().status();
    assert_eq!(status, 404, "a function that there is not");
}
