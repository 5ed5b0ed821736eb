use serde_json::json;
use skyfold::{Built, Result, RevisionState};

use crate::arguments::{Drop, Revisions, Switch};
use crate::{Context, Exit};

/// Shows the revisions of a projection.
pub(crate) async fn revisions(context: &Context, arguments: Revisions) -> Result<Exit> {
    let (output, states) = (context.output(), context.client().revisions(&arguments.name).await?);
    output.json(&states)?;
    let row = |state: &RevisionState| {
        let answers = if state.is_active { "answers" } else { "" };
        let built = match state.built {
            Built::Replayed => "by a replay",
            Built::InPart => "in part",
            Built::Live => "live",
        };
        let revision = state.revision.to_string();
        vec![revision, state.collection.clone(), built.to_owned(), answers.to_owned()]
    };
    let rows: Vec<_> = states.iter().map(row).collect();
    output.table(&["revision", "collection", "built", ""], &rows)?;
    Ok(Exit::Done)
}

/// Lets another revision of a projection answer.
pub(crate) async fn switch(context: &Context, arguments: Switch) -> Result<Exit> {
    let Switch { name, revision } = arguments;
    let switched = context.client().switch(&name, revision).await?;
    let output = context.output();
    output.json(&json!({ "name": name, "revision": switched }))?;
    output.say(format_args!("revision {switched} of {name} answers now"))?;
    Ok(Exit::Done)
}

/// Removes the views of a revision that the app lists no more.
pub(crate) async fn drop(context: &Context, arguments: Drop) -> Result<Exit> {
    let Drop { name, revision } = arguments;
    let (client, output) = (context.client(), context.output());
    let bar = output.progress_bar(None);
    let told = |removed| bar.set_position(removed);
    let removed = client.remove_revision(&name, revision, told).await;
    bar.finish_and_clear();
    let removed = removed?;
    output.json(&json!({ "name": name, "revision": revision, "removed": removed }))?;
    output
        .say(format_args!("{removed} documents of revision {revision} of {name} were removed"))?;
    Ok(Exit::Done)
}
