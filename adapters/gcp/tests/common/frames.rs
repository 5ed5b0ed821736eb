//! Messages of gRPC as bytes: each has a flag, its length and itself.

use http::{HeaderMap, Response};
use http_body_util::{BodyExt as _, Full};
use prost::Message;
use prost::bytes::{BufMut as _, Bytes, BytesMut};
use tonic::Status;
use tonic::body::Body;

/// The messages that `bytes` hold.
pub fn messages<M: Message + Default>(mut bytes: &[u8]) -> Vec<M> {
    let mut messages = vec![];
    while let Some((header, rest)) = bytes.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let (message, rest) = rest.split_at(length as usize);
        messages.push(M::decode(message).expect("it is a message of this kind"));
        bytes = rest;
    }
    messages
}

/// The one message of a request.
pub fn message<M: Message + Default>(bytes: &[u8]) -> M {
    messages(bytes).pop().expect("there is a message")
}

/// An answer that says `message`.
pub fn answer(message: &impl Message) -> Response<Body> {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.encoded_len()).expect("it is short"));
    message.encode(&mut bytes).expect("it has room");
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().expect("it is a header"));
    let body = Full::new(bytes.freeze()).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    let kind = "application/grpc".parse().expect("it is a header");
    response.headers_mut().insert("content-type", kind);
    response
}

/// An answer that says `status`.
pub fn refusal(status: Status) -> Response<Body> {
    status.into_http()
}

/// All that `body` brings, and the same once more.
pub async fn whole(body: Body) -> Result<(Bytes, Body), tower::BoxError> {
    let whole = body.collect().await?;
    let trailers = whole.trailers().cloned();
    let bytes = whole.to_bytes();
    let body = Full::new(bytes.clone()).with_trailers(async { trailers.map(Ok) });
    Ok((bytes, Body::new(body)))
}
