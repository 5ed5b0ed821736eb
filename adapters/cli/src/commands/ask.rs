use std::time::Duration;

use skyfold::{After, ListRequest, Result};

use crate::arguments::{self, List, Query, View};
use crate::{Context, Exit, params};

/// How long an answer may wait for the event that it must show.
const WAIT: Duration = Duration::from_secs(10);

/// Shows the answer to a question.
pub(crate) async fn query(context: &Context, arguments: Query) -> Result<Exit> {
    let params = params::read(context.client().manifest(), &arguments.name, &arguments.params)?;
    let after = after(arguments.after);
    let answer = context.client().query(&arguments.name, params, after).await?;
    context.output().show(&answer)?;
    Ok(Exit::Done)
}

/// Shows one view.
pub(crate) async fn view(context: &Context, arguments: View) -> Result<Exit> {
    let View { read_model, key, after: shown } = arguments;
    let view = context.client().view(&read_model, &key, after(shown)).await?;
    context.output().show(&view)?;
    Ok(Exit::Done)
}

/// Shows a page of a list.
pub(crate) async fn list(context: &Context, arguments: List) -> Result<Exit> {
    let List { read_model, list, under, order, limit, cursor, after: shown } = arguments;
    let (order, after) = (order.into(), after(shown));
    let request = ListRequest { list, under, order, limit, cursor, after };
    let page = context.client().list(&read_model, request).await?;
    context.output().show(&page)?;
    let next = page.decode::<Next>()?.next;
    if let Some(next) = next {
        context.output().hint(format_args!("there is more: --cursor {next}"));
    }
    Ok(Exit::Done)
}

/// The part of a page that says where to read on.
#[derive(serde::Deserialize)]
struct Next {
    #[serde(default)]
    next: Option<String>,
}

fn after(arguments: arguments::After) -> Option<After> {
    arguments.event.map(|event| After { event, wait: WAIT })
}
