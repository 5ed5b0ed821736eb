use skyfold::Result;

use crate::{Context, Exit};

/// Shows how far projections and sagas are behind.
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
    Ok(if health.healthy { Exit::Done } else { Exit::Failed })
}
