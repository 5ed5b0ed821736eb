use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Upcasters;

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Takes the commands of one decider.
    Command,
    /// Answers questions.
    Query,
    /// Keeps a read model.
    Projection,
    /// Keeps a business transaction going.
    Saga,
    /// Announces recorded events.
    Relay,
}

/// A command that a function takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandDescriptor {
    /// The variant's name: `WriteOff`.
    pub name: String,
    /// The same as a segment of a path: `write-off`.
    pub path: String,
    /// The schema of its fields; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// Whether only the app gives it ([`Decider::INTERNAL`](crate::Decider::INTERNAL)): a host
    /// refuses it from a caller.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_internal: bool,
}

/// An event that the streams of a function hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDescriptor {
    /// The variant's name: `OrderPlaced`.
    pub name: String,
    /// The version of its schema, from 1.
    pub version: u32,
    /// The schema of its fields; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// What a deployment, a host or a document about the app needs to know of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its name, unique within the app.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The categories whose events trigger it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hears: Vec<String>,
    /// The commands it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandDescriptor>,
    /// The events that they record, in their current versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDescriptor>,
    /// The collection that a projection keeps its views in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The lists of a projection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// The schema of a query's parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// The schema of a projection's view or of a query's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
}

impl Descriptor {
    /// A function of `kind` named `name`, of which nothing else is known.
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            hears: vec![],
            commands: vec![],
            events: vec![],
            collection: None,
            lists: vec![],
            params: None,
            answer: None,
        }
    }
}

/// What there is to deploy: printed as JSON, and read by Terraform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The app's name.
    pub app: String,
    /// Its functions, in order of name.
    pub functions: Vec<Descriptor>,
}

impl Manifest {
    /// The functions of `kind`.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Descriptor> {
        self.functions.iter().filter(move |function| function.kind == kind)
    }

    /// The function `name`.
    pub fn function(&self, name: &str) -> Option<&Descriptor> {
        self.functions.iter().find(|function| function.name == name)
    }
}

/// The JSON Schema of `T` as somebody gives it, of draft 2020-12.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    bare(schema_for!(T))
}

/// The JSON Schema of `T` as somebody is shown it: personal data are bare.
pub(crate) fn answer_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    bare(settings.into_generator().into_root_schema_for::<T>())
}

fn bare(mut schema: Schema) -> Value {
    schema.remove("$schema");
    schema.to_value()
}

/// The variants of the enum `C`, each a command; those in `internal` only the app gives.
pub(crate) fn commands<C: JsonSchema>(internal: &[&str]) -> Vec<CommandDescriptor> {
    let describe = |(name, schema): (String, _)| {
        let path = kebab(&name);
        let is_internal = internal.contains(&&*name);
        CommandDescriptor { name, path, schema, is_internal }
    };
    variants::<C>().into_iter().map(describe).collect()
}

/// The variants of the enum `E`, each an event.
pub(crate) fn events<E: JsonSchema>(upcasters: &Upcasters) -> Vec<EventDescriptor> {
    let describe = |(name, schema): (String, _)| {
        let version = upcasters.current(&name);
        EventDescriptor { name, version, schema }
    };
    variants::<E>().into_iter().map(describe).collect()
}

/// The names of an enum's variants, and the schemas of those that have fields.
fn variants<E: JsonSchema>() -> Vec<(String, Option<Value>)> {
    let root = schema_for!(E);
    let definitions = root.get("$defs").cloned();
    let branches = match root.get("oneOf") {
        Some(Value::Array(branches)) => branches.clone(),
        _ => vec![root.clone().to_value()],
    };
    branches.iter().flat_map(|branch| variants_of(branch, definitions.as_ref())).collect()
}

/// The variants that one branch of an enum's schema describes.
fn variants_of(branch: &Value, definitions: Option<&Value>) -> Vec<(String, Option<Value>)> {
    let bare = |name: &str| (name.to_owned(), None);
    if let Some(name) = branch["const"].as_str() {
        return vec![bare(name)];
    }
    if let Some(names) = branch["enum"].as_array() {
        return names.iter().filter_map(Value::as_str).map(bare).collect();
    }
    let properties = branch["properties"].as_object().into_iter().flatten();
    let with_body = properties.map(|(name, body)| {
        let mut body = body.clone();
        describe(&mut body, branch.get("description"), definitions);
        (name.clone(), Some(body))
    });
    with_body.collect()
}

/// Makes a part of a schema stand on its own.
fn describe(body: &mut Value, description: Option<&Value>, definitions: Option<&Value>) {
    let Ok(schema) = <&mut Schema>::try_from(body) else { return };
    let body: &mut Map<String, Value> = schema.ensure_object();
    if let Some(description) = description {
        body.entry("description").or_insert_with(|| description.clone());
    }
    if let Some(definitions) = definitions {
        body.insert("$defs".into(), definitions.clone());
    }
}

/// `WriteOff` as `write-off`.
fn kebab(name: &str) -> String {
    let mut path = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !path.is_empty() {
            path.push('-');
        }
        path.extend(c.to_lowercase());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    enum Command {
        /// Takes stock out.
        WriteOff {
            quantity: u32,
            why: Why,
        },
        Close,
        Open,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Why(String);

    #[test]
    fn each_variant_is_a_command_with_a_path_and_the_schema_of_its_fields() {
        let commands = commands::<Command>(&["Close"]);
        let mut paths: Vec<_> = commands.iter().map(|command| command.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["close", "open", "write-off"]);
        let write_off = commands.iter().find(|command| command.name == "WriteOff").unwrap();
        let schema = write_off.schema.as_ref().unwrap();
        assert_eq!(schema["required"], serde_json::json!(["quantity", "why"]));
        assert_eq!(schema["description"], "Takes stock out.");
        assert!(schema["$defs"]["Why"].is_object(), "references resolve: {schema}");
        assert!(commands.iter().any(|c| c.name == "Close" && c.schema.is_none()));
        assert!(commands.iter().all(|c| c.is_internal == (c.name == "Close")));
    }

    #[test]
    fn each_variant_is_an_event_of_its_current_version() {
        let upcasters = Upcasters::default().then("WriteOff", |data| data);
        let events = events::<Command>(&upcasters);
        let versions = events.iter().map(|event| (event.name.as_str(), event.version));
        assert!(versions.clone().any(|version| version == ("WriteOff", 2)));
        assert!(versions.clone().any(|version| version == ("Close", 1)));
    }
}
