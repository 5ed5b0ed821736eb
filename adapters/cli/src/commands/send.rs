use std::path::Path;

use skyfold::limits::COMMAND_BYTES_MAX;
use skyfold::{CommandRequest, Error, ErrorKind, Metadata, Payload, Receipt, Result, Version};

use crate::arguments::Send;
use crate::console::Console;
use crate::{Context, Exit, Outcome};

/// Sends a command to a stream.
pub(crate) async fn send(context: &Context, arguments: Send) -> Result<Exit> {
    let Send { category, id, command, fields, key, expect } = arguments;
    let fields = fields.map(|fields| read(context.console(), &fields)).transpose()?;
    let fields = fields.map(|text| Payload::parse(&text)).transpose()?;
    let request = CommandRequest {
        stream: id,
        id: key.unwrap_or_else(|| context.client().fresh_id()),
        command: context.client().command(&category, &command, fields.as_ref())?,
        expected: expect.map(Version),
        metadata: Metadata::default(),
    };
    let key = request.id.clone();
    let sent = context.client().send_request(&category, request).await;
    if sent.as_ref().is_err_and(Error::is_transient) {
        context.output().hint(format_args!("it may have taken effect: repeat it with --id {key}"));
    }
    match sent? {
        Outcome::Accepted(receipt) => accepted(context, &receipt),
        Outcome::Refused(reason) => {
            context.output().report_refusal(&reason);
            Ok(Exit::Failed)
        }
    }
}

fn accepted(context: &Context, receipt: &Receipt) -> Result<Exit> {
    let Receipt { stream, version, events, replayed } = receipt;
    let output = context.output();
    output.json(receipt)?;
    let before = if *replayed { " before" } else { "" };
    output.say(format_args!("accepted{before}: {stream} is at version {version}"))?;
    for event in events {
        output.say(event)?;
    }
    if events.is_empty() {
        output.say("there was nothing to do")?;
    }
    Ok(Exit::Done)
}

/// What `fields` says, the input holds, or a file does.
fn read(console: &Console, fields: &str) -> Result<String> {
    let text = match fields.strip_prefix('@') {
        Some(path) => read_file(Path::new(path)),
        None if fields == "-" => console.read(BYTES_MAX),
        None => return Ok(fields.to_owned()),
    };
    let text = text.map_err(|error| {
        let message = format!("the fields cannot be read from {fields:?}");
        Error::new(ErrorKind::Invalid, message).with_source(error)
    })?;
    if text.len() > COMMAND_BYTES_MAX {
        let message = format!("the fields in {fields:?} have more than {COMMAND_BYTES_MAX} bytes");
        return Err(Error::new(ErrorKind::Oversized, message));
    }
    Ok(text)
}

/// How much is read: one byte more than is legal, to know that there was more.
const BYTES_MAX: u64 = COMMAND_BYTES_MAX as u64 + 1;

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read;

    let mut text = String::new();
    std::fs::File::open(path)?.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
