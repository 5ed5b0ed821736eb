use skyfold::{AsOf, Result};

use crate::arguments::State;
use crate::{Context, Exit, Format, time_text};

/// Shows the state of a stream.
pub(crate) async fn state(context: &Context, arguments: State) -> Result<Exit> {
    let at = arguments.at.unwrap_or(AsOf::Now);
    let state = context.client().state(&arguments.stream, at).await?;
    let output = context.output();
    if output.format() == Format::Json {
        output.json(&state)?;
        return Ok(Exit::Done);
    }
    let since = state.time.map_or_else(String::new, |time| format!(", {}", time_text(time)));
    output.say(format_args!("{} at version {}{since}", state.stream, state.version))?;
    output.show(&state.state)?;
    Ok(Exit::Done)
}
