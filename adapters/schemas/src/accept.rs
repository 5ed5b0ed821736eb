use serde_json::Value;
use skyfold::{App, Result};

use crate::check::check;
use crate::export::current;
use crate::folder::{Folder, Form};
use crate::golden::{self, Now};
use crate::report::Report;
use crate::states;

/// What was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The files that were written.
    pub files: Vec<String>,
    /// What is left to be done. If it is not clean, nothing was written.
    pub report: Report,
}

/// Locks what is new in `app`: each event in its current version, with golden data; what golden
/// data of older versions is by now; and states under a new format. What is locked already stays
/// as it is. Golden data that is there before its schema is kept: write it yourself where a sample
/// would say too little.
///
/// # Errors
///
/// Those of the folder, naming the file; [`Invalid`](skyfold::ErrorKind::Invalid) if no golden data
/// can be made of a schema.
pub fn accept(app: &App, folder: &Folder) -> Result<Accepted> {
    let report = check(app, folder)?;
    let mut files = vec![];
    if !report.is_acceptable() {
        return Ok(Accepted { files, report });
    }
    for (form, schema) in current(app) {
        lock(app, folder, &form, schema, &mut files)?;
    }
    for form in folder.forms()? {
        let golden: Vec<Value> = folder.read(&form.golden_file())?.unwrap_or_default();
        let now = golden::read(app, &form, &golden)?;
        let before: Option<Now> = folder.read(&form.now_file())?;
        if !now.is(&form) && before.is_none_or(|before| !before.is_like(&now)) {
            folder.replace(&form.now_file(), &now)?;
            files.push(form.now_file());
        }
    }
    states::accept(app, folder, &mut files)?;
    Ok(Accepted { files, report: check(app, folder)? })
}

/// Locks one event, unless it is locked.
fn lock(
    app: &App,
    folder: &Folder,
    form: &Form,
    schema: Value,
    files: &mut Vec<String>,
) -> Result<()> {
    if folder.read::<Value>(&form.schema_file())?.is_some() {
        return Ok(());
    }
    if folder.read::<Value>(&form.golden_file())?.is_none() {
        let golden = golden::make(app, form, &schema)?;
        folder.create(&form.golden_file(), &golden)?;
        files.push(form.golden_file());
    }
    folder.create(&form.schema_file(), &schema)?;
    files.push(form.schema_file());
    Ok(())
}
