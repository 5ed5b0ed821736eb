use std::path::PathBuf;

use serde::Serialize;
use skyfold::Result;
use skyfold_schemas::avro::export_avro;
use skyfold_schemas::{Folder, Report, accept, check, export_json};

use crate::arguments::{Export, Language, Locked, Schemas};
use crate::{Context, Exit};

/// Which files were written.
#[derive(Serialize)]
struct Written<'a> {
    files: &'a [String],
}

/// Holds the app to the form of what it has recorded: checks it, locks what is new, or writes the
/// schemas for others.
pub(crate) fn schemas(context: &Context, command: Schemas, locked: PathBuf) -> Result<Exit> {
    let app = context.client().runtime()?.app();
    let folder = |given: Locked| Folder::new(given.folder.unwrap_or_else(|| locked.clone()));
    match command {
        Schemas::Check(given) => {
            let report = check(app, &folder(given))?;
            context.output().json(&report)?;
            tell(context, &report)
        }
        Schemas::Accept(given) => {
            let accepted = accept(app, &folder(given))?;
            written(context, &accepted.files)?;
            tell(context, &accepted.report)
        }
        Schemas::Export(Export { to, format }) => {
            let to = Folder::new(to);
            let files = match format {
                Language::Json => export_json(app, &to),
                Language::Avro => export_avro(app, &Folder::new(&locked), &to),
            };
            written(context, &files?)?;
            Ok(Exit::Done)
        }
    }
}

fn written(context: &Context, files: &[String]) -> Result<()> {
    context.output().json(&Written { files })?;
    files.iter().try_for_each(|file| context.output().say(format_args!("written: {file}")))
}

/// Tells people what was found.
fn tell(context: &Context, report: &Report) -> Result<Exit> {
    let output = context.output();
    report.notes.iter().for_each(|note| output.hint(note));
    if report.is_clean() {
        output.say("everything is read and written as it is locked")?;
        return Ok(Exit::Done);
    }
    output.say(report.to_string().trim_end())?;
    Ok(Exit::Failed)
}
