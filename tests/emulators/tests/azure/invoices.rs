use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portability::chain::{in_memory, invoices};
use skyfold_cli::Client;

use crate::installation::{Apps, Installation};

/// Between two function apps that are killed.
const KILL_PAUSE: Duration = Duration::from_millis(1_500);

/// The function apps that are killed: those that work behind the API.
const VICTIMS: [&str; 2] = ["relay", "consumers"];

pub(crate) fn same(azure: &Installation) {
    let client = Client::http(&azure.url, order::app().manifest()).unwrap();
    azure.tokio.block_on(async {
        let expected = in_memory(invoices()).await;
        let kills = Arc::new(AtomicU32::new(0));
        let killing = tokio::spawn(kill_now_and_then(azure.apps.clone(), kills.clone()));
        expected.place(&client).await;
        killing.abort();
        // A restart under way is finished.
        let _ = killing.await;
        expected.is_shown(&client).await;
        let kills = kills.load(Ordering::SeqCst);
        assert!(kills > 0, "something was killed");
        eprintln!("{} questions, {kills} kills", expected.questions());
    });
}

/// Kills one function app after the other, as machines do that go down.
async fn kill_now_and_then(apps: Arc<Apps>, kills: Arc<AtomicU32>) {
    for victim in VICTIMS.into_iter().cycle() {
        tokio::time::sleep(KILL_PAUSE).await;
        let apps = apps.clone();
        tokio::task::spawn_blocking(move || apps[victim].restart()).await.unwrap();
        kills.fetch_add(1, Ordering::SeqCst);
    }
}
