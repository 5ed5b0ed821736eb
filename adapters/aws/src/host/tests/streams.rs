use serde_json::{Value, json};
use skyfold::RecordedCommit;

use super::app::Scene;

/// The documented call, with two commits of `scene` in their places.
async fn call(scene: &Scene) -> Value {
    let commits = scene.commits().await;
    let mut call: Value = serde_json::from_str(include_str!("golden/stream.json")).unwrap();
    for (record, RecordedCommit { first, commit, .. }) in [1, 2].into_iter().zip(commits) {
        let image = &mut call["Records"][record]["dynamodb"]["NewImage"];
        assert_eq!(image["SK"]["S"], format!("{:020}", first.0));
        image["B"]["S"] = serde_json::to_string(&commit).unwrap().into();
    }
    call
}

async fn scene() -> Scene {
    let scene = Scene::new();
    scene.open("c-1", "Ada").await.unwrap();
    scene.open("c-2", "Grace").await.unwrap();
    scene
}

#[tokio::test]
async fn what_is_recorded_is_announced_and_nothing_else() {
    let scene = scene().await;
    let answer = scene.call("relay", &call(&scene).await).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(*scene.bus.announced.lock().unwrap(), ["door-front@1", "door-front@2"]);
}

#[tokio::test]
async fn lambda_goes_on_at_the_first_record_that_was_not_announced() {
    for (refused, sequence) in [("door-front@1", "222"), ("door-front@2", "333")] {
        let scene = scene().await;
        scene.bus.refused.lock().unwrap().insert(refused.to_owned());
        let answer = scene.call("relay", &call(&scene).await).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": sequence }]));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_announced_by_reference_and_holds_up_nothing() {
    for refused in ["", "door-front@1"] {
        let scene = scene().await;
        scene.bus.refused.lock().unwrap().insert(refused.to_owned());
        let mut call = call(&scene).await;
        call["Records"][1]["dynamodb"]["NewImage"]["B"]["S"] = "{".into();
        let answer = scene.call("relay", &call).await.unwrap();
        let again =
            if refused.is_empty() { json!([]) } else { json!([{ "itemIdentifier": "222" }]) };
        assert_eq!(answer["batchItemFailures"], again, "not before it is announced");
        let announced = scene.bus.announced.lock().unwrap();
        assert_eq!(announced.contains(&"door-front@1".to_owned()), refused.is_empty());
        assert!(announced.contains(&"door-front@2".to_owned()));
    }
}

#[tokio::test]
async fn what_names_no_item_holds_up_what_follows_and_not_what_was_before() {
    let scene = scene().await;
    let mut call = call(&scene).await;
    call["Records"][2]["dynamodb"]["NewImage"] = json!({});
    let answer = scene.call("relay", &call).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": "333" }]));
    assert_eq!(*scene.bus.announced.lock().unwrap(), ["door-front@1"]);
}

#[tokio::test]
async fn a_stream_of_a_table_is_nothing_to_other_functions() {
    let scene = scene().await;
    let failure = scene.call("visitors", &call(&scene).await).await.unwrap_err();
    assert_eq!(failure.error_type, "Skyfold.invalid");
}
