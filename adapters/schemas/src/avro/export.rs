use skyfold::{App, Result};

use super::AvroForms;
use crate::folder::Folder;

/// Writes the Avro schema of every event into the folder `to`, over what is there: in its current
/// version, and in all that are locked in `folder`. Returns the names of the files.
///
/// # Errors
///
/// [`AvroError::Inexpressible`](super::AvroError::Inexpressible) before anything is written; those
/// of the folders, naming the file.
pub fn export_avro(app: &App, folder: &Folder, to: &Folder) -> Result<Vec<String>> {
    let AvroForms(forms) = AvroForms::of(app, folder)?;
    let mut files = vec![];
    for form in forms {
        let file = format!("{}.avsc", form.form);
        to.replace(&file, &form.text)?;
        files.push(file);
    }
    Ok(files)
}
