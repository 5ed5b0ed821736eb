use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::installation::{Installation, QUEUE, azurite};
use crate::timed;
use crate::triggers::LEFT;

/// What is no command.
const UNREADABLE: &str = r#"{"category":"stock"}"#;

/// How long it may take until everybody has given it up, on a busy machine.
const GIVEN_UP_MAX: Duration = Duration::from_secs(120);

/// The queue holds a command back until it is due.
pub(crate) fn in_time(azure: &Installation) {
    azure.tokio.block_on(async { timed::in_time(&azure.runtime().await).await });
}

/// What no release can read is set aside, and then stays where somebody finds it.
pub(crate) fn kept(_: &Installation) {
    let message = STANDARD.encode(UNREADABLE);
    azurite().put(QUEUE, &message).unwrap();
    let (start, aside) = (Instant::now(), (format!("{QUEUE}-poison"), message));
    while !LEFT.lock().unwrap().contains(&aside) {
        assert!(start.elapsed() < GIVEN_UP_MAX, "it is lost: {:?}", LEFT.lock().unwrap());
        std::thread::sleep(Duration::from_millis(200));
    }
}
