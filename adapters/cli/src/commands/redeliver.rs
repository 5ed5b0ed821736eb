use std::time::Instant;

use serde_json::json;
use skyfold::Result;
use skyfold::ports::FeedQuery;

use crate::arguments::Redeliver;
use crate::{Context, Exit};

/// Delivers past events once more.
pub(crate) async fn redeliver(context: &Context, arguments: Redeliver) -> Result<Exit> {
    let Redeliver { name, categories, since } = arguments;
    let (runtime, output) = (context.client().runtime()?, context.output());
    let query = FeedQuery { categories, since, ..FeedQuery::default() };
    let begun = Instant::now();
    let events = runtime.redeliver(&name, &query).await?;
    let seconds = begun.elapsed().as_secs_f64();
    output.json(&json!({ "name": name, "events": events, "seconds": seconds }))?;
    output.say(format_args!("{events} events to {name} in {seconds:.1} s"))?;
    Ok(Exit::Done)
}
