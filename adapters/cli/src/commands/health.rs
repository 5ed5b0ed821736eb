use skyfold::{LetterCount, Result, Unbuilt};

use crate::{Context, Exit};

/// Shows how far projections and sagas are behind, and what waits for an operator.
pub(crate) async fn health(context: &Context) -> Result<Exit> {
    let health = context.client().health().await?;
    let output = context.output();
    output.json(&health)?;
    let verdict = if health.healthy { "healthy" } else { "not healthy" };
    let head =
        health.head.map_or_else(|| "nothing is recorded yet".into(), |head| head.to_string());
    output.say(format_args!("{verdict}; head: {head}"))?;
    let row = |lag: &skyfold::Lag| {
        vec![lag.consumer.clone(), lag.behind.to_string(), lag.seconds.to_string()]
    };
    let rows: Vec<_> = health.consumers.iter().map(row).collect();
    output.table(&["consumer", "commits behind", "for seconds"], &rows)?;
    if health.dead_letters.total > 0 {
        output.say(waiting(&health.dead_letters))?;
        output.hint("to see to them: dead-letters list");
    }
    for Unbuilt { name, revision, is_active, .. } in &health.unbuilt {
        let answers = if *is_active { ", and answers" } else { "" };
        output.say(format_args!("revision {revision} of {name} was not built{answers}"))?;
        output.hint(format_args!("to build it: replay {name} --revision {revision}"));
    }
    Ok(if health.healthy { Exit::Done } else { Exit::Failed })
}

/// How many dead letters wait, whose, and for how long.
fn waiting(letters: &LetterCount) -> String {
    let LetterCount { total, is_more, oldest_seconds, functions } = letters;
    let or_more = if *is_more { " or more" } else { "" };
    let of = functions.iter().map(|(name, count)| format!("{count} of {name}"));
    let of = of.collect::<Vec<_>>().join(", ");
    format!("dead letters: {total}{or_more}, the oldest for {oldest_seconds} s: {of}")
}
