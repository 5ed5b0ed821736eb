use serde_json::{Map, Value};
use skyfold::{App, Kind, Result};

use crate::folder::{Folder, Form};
use crate::resolve::stand_alone;

/// The edition of JSON Schema that schemas are written in.
const EDITION: &str = "https://json-schema.org/draft/2020-12/schema";

/// Writes the JSON Schema of every event in its current version into `folder`, over what is there.
/// Returns the names of the files.
///
/// # Errors
///
/// Those of the folder, naming the file.
pub fn export_json(app: &App, folder: &Folder) -> Result<Vec<String>> {
    let mut files = vec![];
    for (form, schema) in current(app) {
        let mut whole = Map::from_iter([
            ("$schema".to_owned(), EDITION.into()),
            ("$id".to_owned(), format!("urn:{}:{form}", app.name()).into()),
        ]);
        whole.extend(schema.as_object().cloned().unwrap_or_default());
        let file = form.schema_file();
        folder.replace(&file, &whole)?;
        files.push(file);
    }
    Ok(files)
}

/// The events of `app` in their current versions, with their schemas.
pub(crate) fn current(app: &App) -> Vec<(Form, Value)> {
    let mut forms = vec![];
    for function in app.manifest().of(Kind::Command) {
        for event in &function.events {
            let (category, event_type) = (function.name.clone(), event.name.clone());
            let form = Form { category, event_type, version: event.version };
            forms.push((form, stand_alone(event.schema.as_ref())));
        }
    }
    forms
}
