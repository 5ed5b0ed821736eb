use skyfold::{Error, ErrorKind, Result};

use crate::{Context, Exit};

/// Prints what there is to deploy, as JSON in either form.
pub(crate) fn manifest(context: &Context) -> Result<Exit> {
    let json = serde_json::to_string_pretty(context.client().manifest()).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the manifest has no JSON form").with_source(error)
    })?;
    context.output().print(&format!("{json}\n"))?;
    Ok(Exit::Done)
}
