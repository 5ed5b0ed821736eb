use serde_json::json;
use skyfold::ports::{Consistency, Range};
use skyfold::{Commit, Head, Metadata, NewEvent, Payload, StreamName};
use time::OffsetDateTime;

use crate::common::{Place, cosmos};
use crate::large::request;

/// How many streams are begun in the storm.
const STREAMS: usize = 600;

/// What requests meet in a storm, and whether they are then carried out, and answered.
const MET: [(&str, bool, bool); 8] = [
    ("calm", true, true),
    ("slow", true, true),
    ("lost", true, false),
    ("cut", false, false),
    ("throttled", false, false),
    ("behind", false, false),
    ("timeout", false, false),
    ("unavailable", false, false),
];

fn commit() -> Commit {
    let event = NewEvent {
        event_type: "Noted".into(),
        schema: 1,
        data: Payload::encode(&json!({ "text": "x" })).unwrap(),
    };
    let (id, now) = (request(&"x").id, OffsetDateTime::now_utc());
    Commit::new(id, 7, now, Metadata::default(), vec![event]).unwrap()
}

/// The client of the SDK would repeat a create whose answer was lost, and report the conflict with
/// itself. As it is used here, a call of a port is one request, and an error says no more than is
/// known.
pub(crate) async fn no_request_is_made_again_whatever_comes_of_it() {
    let place = Place::open().await.unwrap();
    let events = place.azure().ports().events;
    let streams: Vec<StreamName> =
        (0..STREAMS).map(|nth| format!("account-{nth}").parse().unwrap()).collect();
    cosmos().storm(place.database(), 1).unwrap();
    let mut answered = 0;
    for stream in &streams {
        match events.append(&Head::empty(stream.clone()), &commit()).await {
            Ok(()) => answered += 1,
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
    let met = cosmos().met(place.database()).unwrap();
    cosmos().storm(place.database(), 0).unwrap();
    let times = |is_meant: fn(&(&str, bool, bool)) -> bool| -> usize {
        MET.iter().filter(|kind| is_meant(kind)).map(|(name, ..)| met[*name]).sum()
    };
    assert_eq!(times(|_| true), STREAMS, "a request for each call: {met:?}");
    assert_eq!(times(|(.., is_answered)| *is_answered), answered, "{met:?}");
    let mut there = 0;
    for stream in &streams {
        let read = events.read(stream, Range::NEWEST, 1, Consistency::Strong).await.unwrap();
        there += read.commits.len();
    }
    assert_eq!(times(|(_, is_done, _)| *is_done), there, "{met:?}");
}
