//! What Avro and JSON have in common: the forms that both can express.

/// The form of one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Null,
    Boolean,
    Long,
    Double,
    Text,
    List(Box<Shape>),
    Map(Box<Shape>),
    Nullable(Box<Shape>),
    /// One of the definitions, by its place.
    Named(usize),
}

/// What has a name of its own.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) doc: Option<String>,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Record(Vec<Field>),
    /// Variants that carry nothing.
    Enum(Vec<Symbol>),
    /// Variants some of which carry something: each a record of its own.
    Union(Vec<Variant>),
    /// Sealed personal data, as they are stored and sent.
    Personal,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    /// What JSON calls it.
    pub(super) key: String,
    /// What Avro calls it.
    pub(super) name: String,
    pub(super) doc: Option<String>,
    /// Whether JSON writes it even if it is null.
    pub(super) is_required: bool,
    pub(super) shape: Shape,
}

#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub(super) key: String,
    pub(super) name: String,
}

#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) key: String,
    /// The name of its record.
    pub(super) name: String,
    pub(super) shape: Option<Shape>,
}

/// The form of an event's data.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    pub(super) definitions: Vec<Definition>,
    /// The place of the record that is the whole.
    pub(super) root: usize,
    /// Whether the data is the only field of that record, since it is no object itself.
    pub(super) is_wrapped: bool,
}

/// The only field of a record that stands for something that is none.
pub(super) const VALUE: &str = "value";

impl Shapes {
    /// Whether a value of `shape` takes no bytes, so that a few bytes could claim to hold any
    /// number of them.
    pub(super) fn is_empty(definitions: &[Definition], shape: &Shape) -> bool {
        match shape {
            Shape::Null => true,
            Shape::Named(nth) => match &definitions[*nth].body {
                Body::Record(fields) => {
                    fields.iter().all(|field| Self::is_empty(definitions, &field.shape))
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// `text` as Avro allows names ("Apache Avro Specification", Names).
pub(super) fn legal(text: &str) -> String {
    let mut name = String::new();
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.push('_');
    }
    name.extend(text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    name
}
