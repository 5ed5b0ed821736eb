use skyfold::RecordedCommit;
use skyfold_cli::Client;

use crate::common::poison;
use crate::emulator::cosmos;
use crate::installation::{EVENTS, Installation};

pub(crate) fn redriven(azure: &Installation) {
    let client = Client::http(&azure.url, order::app().manifest()).unwrap();
    let mend = async |commit| {
        let database = azure.database().to_owned();
        let mending = move || mend(&database, &commit);
        tokio::task::spawn_blocking(mending).await.unwrap();
    };
    azure.tokio.block_on(async {
        poison::redriven(&azure.runtime().await, &client, mend).await;
    });
}

/// Puts `mended` in the place of what was recorded, as somebody does who mends what a defect has
/// written.
fn mend(database: &str, mended: &RecordedCommit) {
    let RecordedCommit { stream, first, commit } = mended;
    let item = serde_json::json!({
        "id": format!("{:020}", first.0),
        "s": stream,
        "b": serde_json::to_string(commit).unwrap(),
        "t": "",
    });
    cosmos().upsert(database, EVENTS, stream.as_str(), &item).unwrap();
}
