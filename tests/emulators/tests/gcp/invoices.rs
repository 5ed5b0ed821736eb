use std::sync::atomic::Ordering;

use portability::chain::{in_memory, invoices};
use skyfold_cli::Client;

use crate::installation::Installation;

pub(crate) fn same(gcp: &Installation) {
    let client = Client::http(&gcp.url, order::app().manifest()).unwrap();
    gcp.tokio.block_on(async {
        let expected = in_memory(invoices()).await;
        expected.place(&client).await;
        expected.is_shown(&client).await;
        let brought = gcp.eventarc.brought.load(Ordering::SeqCst);
        assert!(brought > 0, "the triggers of Firestore have brought the commits");
        eprintln!("{} questions, {brought} commits brought", expected.questions());
    });
}
