//! Avro, as a second encoding of what the schemas describe.
//!
//! | JSON Schema | Avro |
//! |---|---|
//! | an object | a record; fields that may be absent or null are unions with null |
//! | an enum without data | an enum |
//! | an enum with data, in serde's default form | a union of records, one for each variant |
//! | a list, a map | an array, a map |
//! | text, also decimals, times, days and ids | a string, so that each comes back as it was |
//! | an integer, a number | a long, a double |
//! | personal data | a record `Personal`: its subject, and what is sealed |
//! | what is no object | a record with the one field `value` |
//!
//! What Avro cannot express is an [`AvroError`] that says where and what to do: tuples, enums with
//! a tag among the fields, maps that have fields as well, types that contain themselves, and what
//! has no type. An integer beyond 63 bits cannot be encoded.
//!
//! Bytes are in Avro's single-object encoding, whose fingerprint names the schema. The schema of a
//! version that is locked is made of the locked JSON Schema, so that neither a comment nor the name
//! of a Rust type changes it. A version is never resolved into another by Avro's own rules: data is
//! decoded under the schema that it was written with, and then takes the steps of the upcasters as
//! JSON does. Readers of other languages may resolve versions that differ by optional fields alone,
//! whose default is null.

mod error;
mod export;
mod read;
mod shape;
mod value;
mod write;

pub use error::AvroError;
pub use export::export_avro;

use apache_avro::rabin::Rabin;
use apache_avro::{GenericSingleObjectReader, GenericSingleObjectWriter, Schema};
use serde_json::Value;
use skyfold::{App, NewEvent, Payload, Result};

use crate::export::current;
use crate::folder::{Folder, Form};
use shape::{Shapes, legal};
use value::Translation;

/// What the single-object encoding begins with ("Apache Avro Specification", Single-object
/// encoding), before the fingerprint.
const MARKER: [u8; 2] = [0xc3, 0x01];

/// How many bytes a fingerprint has.
const FINGERPRINT_BYTES: usize = 8;

/// The Avro schemas of everything that an app records, or recorded once.
#[derive(Debug)]
pub struct AvroForms(Vec<AvroForm>);

/// The Avro schema of one event in one version.
#[derive(Debug)]
struct AvroForm {
    form: Form,
    shapes: Shapes,
    /// As it is exported, with what it says to people.
    text: Value,
    schema: Schema,
    fingerprint: [u8; FINGERPRINT_BYTES],
}

impl AvroForms {
    /// Those of all versions that are locked in `folder`, and of what `app` records now.
    ///
    /// # Errors
    ///
    /// [`AvroError::Inexpressible`], and those of the folder.
    pub fn of(app: &App, folder: &Folder) -> Result<Self> {
        let mut forms = vec![];
        for form in folder.forms()? {
            if let Some(schema) = folder.read::<Value>(&form.schema_file())? {
                forms.push(AvroForm::new(app.name(), form, &schema)?);
            }
        }
        for (form, schema) in current(app) {
            if forms.iter().all(|known| known.form != form) {
                forms.push(AvroForm::new(app.name(), form, &schema)?);
            }
        }
        forms.sort_by(|one, other| one.form.cmp(&other.form));
        Ok(Self(forms))
    }

    /// An event of a stream of `category`, as it is stored or sent, in Avro's single-object
    /// encoding.
    ///
    /// # Errors
    ///
    /// [`AvroError::Unfit`] if its data is not of its schema, or holds personal data in the clear,
    /// and [`AvroError::NoSchema`] if it has none.
    pub fn encode(&self, category: &str, event: &NewEvent) -> Result<Vec<u8>> {
        let NewEvent { event_type, schema: version, data } = event;
        let (category, event_type) = (category.to_owned(), event_type.clone());
        let wanted = Form { category, event_type, version: *version };
        let found = self.0.iter().find(|known| known.form == wanted);
        let form = found.ok_or_else(|| AvroError::NoSchema { form: wanted.to_string() })?;
        Ok(form.encode(&data.decode()?)?)
    }

    /// The event that [`encode`](Self::encode) was given, and its category.
    ///
    /// # Errors
    ///
    /// [`AvroError::Unknown`] if the fingerprint names none of these schemas, and
    /// [`AvroError::Unreadable`] if the bytes are not of it.
    pub fn decode(&self, bytes: &[u8]) -> Result<(String, NewEvent)> {
        let fingerprint = bytes.strip_prefix(&MARKER).and_then(|b| b.get(..FINGERPRINT_BYTES));
        let found = self.0.iter().find(|known| fingerprint == Some(&known.fingerprint));
        let form = found.ok_or_else(|| {
            let hex = fingerprint.into_iter().flatten().map(|byte| format!("{byte:02x}"));
            AvroError::Unknown { fingerprint: hex.collect() }
        })?;
        let data = Payload::encode(&form.decode(bytes)?)?;
        let Form { category, event_type, version } = form.form.clone();
        Ok((category, NewEvent { event_type, schema: version, data }))
    }
}

impl AvroForm {
    fn new(app: &str, form: Form, schema: &Value) -> Result<Self, AvroError> {
        let name = form.to_string();
        let shapes = read::read(&name, &form.event_type, schema)?;
        let namespace = [app, &form.category, &format!("v{}", form.version)].join(".");
        let namespace = namespace.split('.').map(legal).collect::<Vec<_>>().join(".");
        let text = write::write(&shapes, &namespace);
        let schema = Schema::parse(&text).map_err(|source| unreadable(&name, source))?;
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&schema.fingerprint::<Rabin>().bytes);
        Ok(Self { form, shapes, text, schema, fingerprint })
    }

    fn encode(&self, data: &Value) -> Result<Vec<u8>, AvroError> {
        let name = self.form.to_string();
        let value = Translation { form: &name, shapes: &self.shapes }.to_avro(data)?;
        let mut bytes = vec![];
        let writer = GenericSingleObjectWriter::new_with_capacity(&self.schema, 0);
        let written = writer.and_then(|mut writer| writer.write_value_ref(&value, &mut bytes));
        written.map_err(|source| unreadable(&name, source))?;
        Ok(bytes)
    }

    fn decode(&self, mut bytes: &[u8]) -> Result<Value, AvroError> {
        let name = self.form.to_string();
        let reader = GenericSingleObjectReader::builder().schema(self.schema.clone()).build();
        let value = reader.and_then(|reader| reader.read_value(&mut bytes));
        let value = value.map_err(|source| unreadable(&name, source))?;
        if !bytes.is_empty() {
            return Err(AvroError::Unreadable { form: name, source: None });
        }
        Translation { form: &name, shapes: &self.shapes }.to_json(value)
    }
}

fn unreadable(form: &str, source: apache_avro::Error) -> AvroError {
    AvroError::Unreadable { form: form.to_owned(), source: Some(Box::new(source)) }
}
