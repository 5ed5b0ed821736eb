use lambda_http::request::LambdaRequest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use skyfold::host::Watch;

use super::direct::Direct;
use super::failure::Failure;
use super::messages::Message;
use super::records::Record;

/// What a function of Lambda is called with.
#[derive(Debug)]
pub(crate) enum Call {
    /// A request of an HTTP API, in version 2.0 of its form ("Create AWS Lambda proxy integrations
    /// for HTTP APIs in API Gateway").
    Http(Box<LambdaRequest>),
    /// What has changed in the table of events ("Using AWS Lambda with Amazon DynamoDB").
    Records(Vec<Record>),
    /// What waits in a queue ("Using Lambda with Amazon SQS").
    Messages(Vec<Message>),
    /// The time has come ("Creating an EventBridge rule that runs on a schedule").
    Schedule,
    /// Somebody who may call the function gives it a command.
    Direct(Box<Direct>),
    /// A state machine asks how a transaction is getting on.
    Watch(Watch),
}

/// As much of a call as tells what it is.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "requestContext")]
    request_context: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    transaction: Option<&'a RawValue>,
}

/// As much of a record as tells where it is from.
#[derive(Deserialize)]
struct Origin {
    #[serde(rename = "eventSource")]
    event_source: String,
}

impl Call {
    /// What `payload` is.
    pub(crate) fn of(payload: &RawValue) -> Result<Self, Failure> {
        let outline: Outline<'_> = read("the call", payload)?;
        if let Some(records) = outline.records {
            return Self::of_records(&records);
        }
        if outline.request_context.is_some() {
            return Ok(Self::Http(Box::new(read("the request", payload)?)));
        }
        if outline.request.is_some() {
            return Ok(Self::Direct(Box::new(read("the command", payload)?)));
        }
        if outline.transaction.is_some() {
            return Ok(Self::Watch(read("the question", payload)?));
        }
        match outline.detail_type.map(RawValue::get) {
            Some(r#""Scheduled Event""#) => Ok(Self::Schedule),
            _ => Err(Failure::invalid(
                "the call is none of an HTTP API, a queue, the stream of a table, a schedule, and \
                 no command",
            )),
        }
    }

    fn of_records(records: &[&RawValue]) -> Result<Self, Failure> {
        let Some(first) = records.first() else { return Ok(Self::Messages(vec![])) };
        match read::<Origin>("the record", first)?.event_source.as_str() {
            "aws:dynamodb" => Ok(Self::Records(read_all("the record", records)?)),
            "aws:sqs" => Ok(Self::Messages(read_all("the message", records)?)),
            other => Err(Failure::invalid(format!("records of {other} are nothing to this app"))),
        }
    }
}

fn read_all<T: DeserializeOwned>(what: &str, parts: &[&RawValue]) -> Result<Vec<T>, Failure> {
    parts.iter().map(|part| read(what, part)).collect()
}

fn read<'a, T: Deserialize<'a>>(what: &str, part: &'a RawValue) -> Result<T, Failure> {
    serde_json::from_str(part.get())
        .map_err(|error| Failure::invalid(format!("{what} is not of the form of Lambda: {error}")))
}
