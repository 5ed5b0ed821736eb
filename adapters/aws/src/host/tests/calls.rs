use serde_json::{Value, json};
use skyfold::ErrorKind;

use super::app::Scene;
use crate::host::Lambda;

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_request_of_an_http_api_is_answered_with_status_headers_and_body() {
    let request = golden(include_str!("golden/http.json"));
    for name in ["api", "door"] {
        let scene = Scene::new();
        let answer = scene.call(name, &request).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert_eq!(answer["headers"]["content-type"], "application/json");
        assert_eq!(answer["headers"]["etag"], "\"1\"");
        assert_eq!(answer["isBase64Encoded"], false);
        let receipt = golden(answer["body"].as_str().unwrap());
        assert_eq!(receipt["events"], json!(["door-front@1"]));
        assert_eq!(scene.commits().await.len(), 1);
    }
}

#[tokio::test]
async fn an_encoded_body_and_a_query_are_read() {
    let scene = Scene::new();
    let mut request = golden(include_str!("golden/http.json"));
    request["body"] = "eyJieSI6ICJBZGEifQ==".into();
    request["isBase64Encoded"] = true.into();
    assert_eq!(scene.call("api", &request).await.unwrap()["statusCode"], 200);

    request["rawPath"] = "/door/front".into();
    request["rawQueryString"] = "at=1".into();
    request["requestContext"]["http"]["method"] = "GET".into();
    let answer = scene.call("api", &request).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(golden(answer["body"].as_str().unwrap())["state"], 1);

    request["rawQueryString"] = "at=7".into();
    let answer = scene.call("api", &request).await.unwrap();
    assert_eq!(answer["statusCode"], 404, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_command_given_to_the_function_itself_is_answered_with_its_receipt() {
    let scene = Scene::new();
    let receipt = scene.open("c-1", "Ada").await.unwrap();
    assert_eq!((&receipt["version"], &receipt["replayed"]), (&json!(1), &json!(false)));
    let again = scene.open("c-1", "Ada").await.unwrap();
    assert_eq!((&again["version"], &again["replayed"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn what_fails_has_a_type_that_stays_the_same() {
    let scene = Scene::new();
    let refused = scene.open("c-1", "").await.unwrap_err();
    assert_eq!(refused.error_type, "Skyfold.refused");
    assert_eq!(refused.message, "nobody is no one to open a door");

    let unknown = json!({ "category": "gate", "request": {
        "stream": "front", "id": "c-1", "command": "Open" } });
    let unknown = scene.call("door", &unknown).await.unwrap_err();
    assert_eq!(unknown.error_type, "Skyfold.not-found");

    for nothing in
        [json!({}), json!({ "Records": 7 }), json!({ "detail-type": "Other" }), json!([])]
    {
        let failure = scene.call("door", &nothing).await.unwrap_err();
        assert_eq!(failure.error_type, "Skyfold.invalid", "{nothing}");
    }
    let schedule = golden(include_str!("golden/schedule.json"));
    let failure = scene.call("door", &schedule).await.unwrap_err();
    assert!(failure.message.contains("a schedule is nothing that the function door takes"));
}

#[tokio::test]
async fn a_function_that_the_app_does_not_have_is_none() {
    let scene = Scene::new();
    let error = Lambda::new(scene.runtime, "visitor", Default::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("relay, visit, visitors, api, commands, sweep"), "{error}");
}
