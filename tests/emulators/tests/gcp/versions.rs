use emulators::GoogleEmulator;

use crate::installation::Installation;

/// The releases that all this was tried with: another one may behave in another way, which is then
/// to be found out before it is believed.
const TRIED: [(GoogleEmulator, &str); 2] =
    [(GoogleEmulator::Firestore, "1.19.9"), (GoogleEmulator::PubSub, "0.8.20")];

pub(crate) fn tried(_: &Installation) {
    for (emulator, tried) in TRIED {
        let found = emulator.version().unwrap();
        assert_eq!(found, tried, "{emulator:?} is another release than was tried");
    }
}
