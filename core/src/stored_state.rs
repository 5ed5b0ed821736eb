use serde::{Deserialize, Serialize};

use crate::{Payload, StreamName, Version};

/// The state of a stream as of a version: a cache, never a truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredState {
    /// Which form of the state this is; a reader ignores the forms it does not know.
    #[serde(rename = "f")]
    pub format: u32,
    /// The state.
    #[serde(rename = "s")]
    pub state: Payload,
    /// A digest of the state and of where it belongs. A reader ignores a state that does not match
    /// it: a damaged one may still parse, and would be believed.
    #[serde(rename = "c", default)]
    pub checksum: u32,
}

impl StoredState {
    /// `state`, in its form `format`, as that of `stream` as of `version`.
    pub fn new(stream: &StreamName, version: Version, format: u32, state: Payload) -> Self {
        let checksum = checksum(stream, version, format, &state);
        Self { format, state, checksum }
    }

    /// Whether it is what was once stored as the state of `stream` as of `version`.
    pub fn is_intact(&self, stream: &StreamName, version: Version) -> bool {
        self.checksum == checksum(stream, version, self.format, &self.state)
    }
}

/// CRC-32, which no change within 32 bits in a row escapes, over everything that a state must not
/// be taken for another by. The stream's name ends in a byte that no name holds.
fn checksum(stream: &StreamName, version: Version, format: u32, state: &Payload) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(stream.as_str().as_bytes());
    hasher.update(&[0xff]);
    hasher.update(&version.0.to_be_bytes());
    hasher.update(&format.to_be_bytes());
    hasher.update(state.get().as_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_intact_only_as_it_was_and_where_it_belongs() {
        let (stream, other): (StreamName, StreamName) =
            ("a-1".parse().unwrap(), "a-2".parse().unwrap());
        let state = StoredState::new(&stream, Version(3), 1, Payload::parse("10").unwrap());
        assert!(state.is_intact(&stream, Version(3)));
        assert!(!state.is_intact(&stream, Version(4)));
        assert!(!state.is_intact(&other, Version(3)));
        assert!(!StoredState { format: 2, ..state.clone() }.is_intact(&stream, Version(3)));
        let eleven = Payload::parse("11").unwrap();
        assert!(!StoredState { state: eleven, ..state.clone() }.is_intact(&stream, Version(3)));
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<StoredState>(&text).unwrap(), state);
    }

    #[test]
    fn no_flipped_bit_is_taken_for_the_state() {
        let (stream, version) = ("order-7".parse().unwrap(), Version(7));
        let state = Payload::parse(r#"{"cents":100,"name":"größe"}"#).unwrap();
        let state = StoredState::new(&stream, version, 1, state);
        let text = serde_json::to_string(&state).unwrap();
        let mut parsed = 0;
        for nth in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[nth / 8] ^= 1 << (nth % 8);
            let Ok(damaged) = serde_json::from_slice::<StoredState>(&bytes) else { continue };
            assert!(!damaged.is_intact(&stream, version), "bit {nth}");
            parsed += 1;
        }
        assert!(parsed > 100, "{parsed}");
    }

    #[test]
    fn what_was_stored_stays_intact_in_every_release() {
        let stream = "order-7".parse().unwrap();
        let state = StoredState::new(&stream, Version(7), 1, Payload::parse(r#"{"a":1}"#).unwrap());
        assert_eq!(state.checksum, 0xaf5b_db7b);
    }
}
