use std::time::Instant;

use serde::Serialize;
use skyfold::Result;
use skyfold::ports::FeedQuery;

use crate::arguments::Replay;
use crate::commands::events::check_categories;
use crate::{Context, Exit};

/// What a replay came to.
#[derive(Serialize)]
struct Replayed<'a> {
    name: &'a str,
    events: u64,
    seconds: f64,
}

/// Delivers past events to a projection or saga once more.
pub(crate) async fn replay(context: &Context, arguments: Replay) -> Result<Exit> {
    let Replay { name, categories, since } = arguments;
    let runtime = context.client().runtime()?;
    check_categories(context.client().manifest(), &categories)?;
    let query = FeedQuery { categories, since, until: None };
    let output = context.output();
    let (bar, started) = (output.progress_bar(None), Instant::now());
    let replayed = runtime.replay(&name, &query, None, |progress| {
        bar.set_message(format!("slice {} of {}", progress.slice + 1, progress.slices));
        bar.set_position(progress.events);
    });
    let replayed = replayed.await;
    bar.finish_and_clear();
    let (events, seconds) = (replayed?, started.elapsed().as_secs_f64());
    output.json(&Replayed { name: &name, events, seconds })?;
    let rate = events as f64 / seconds.max(f64::MIN_POSITIVE);
    output.say(format_args!("{events} events to {name} in {seconds:.1} s, {rate:.0} a second"))?;
    Ok(Exit::Done)
}
