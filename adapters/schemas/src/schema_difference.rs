use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::describe::{is_required, kind, variants};
use crate::difference::{Change, Difference};
use crate::resolve::Root;

/// What a schema says to people, and not about the form of data.
const ANNOTATIONS: [&str; 9] = [
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
];

/// What is compared part by part, and not as it is written.
const PARTS: [&str; 12] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "oneOf",
    "prefixItems",
    "properties",
    "required",
    "type",
];

/// In which ways the data that `new` describes has another form than that which `old` describes.
///
/// What schemas say to people makes no difference, and neither do the names of definitions: a
/// comment or a Rust type may be changed at any time.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut comparison =
        Comparison { old: Root(old), new: Root(new), seen: BTreeSet::new(), found: vec![] };
    comparison.compare("", old, new);
    comparison.found.sort();
    comparison.found
}

struct Comparison<'a> {
    old: Root<'a>,
    new: Root<'a>,
    /// The pairs of definitions that are compared already, since they may contain themselves.
    seen: BTreeSet<(&'a str, &'a str)>,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        if let (Some(old), Some(new)) = (Root::reference(old), Root::reference(new))
            && !self.seen.insert((old, new))
        {
            return;
        }
        if Root::reference(old).is_some() && Root::reference(new).is_some() {
            // What stands beside a reference, such as a default.
            self.compare_rest(path, old, new);
        }
        let (old, new) = (self.old.resolve(old), self.new.resolve(new));
        let (was, is) = (kind(self.old, old), kind(self.new, new));
        if was != is {
            self.note(path, Change::Changed { was, is });
            return;
        }
        match (variants(self.old, old), variants(self.new, new)) {
            (Some(old), Some(new)) => self.compare_variants(path, &old, &new),
            _ => self.compare_alternatives(path, old, new),
        }
        self.compare_fields(path, old, new);
        for (part, place) in [("items", "[]"), ("additionalProperties", "{}")] {
            self.compare_part(&format!("{path}{place}"), old.get(part), new.get(part));
        }
        self.compare_places(path, old, new);
        self.compare_rest(path, old, new);
    }

    fn note(&mut self, path: &str, change: Change) {
        self.found.push(Difference::new(path, change));
    }

    fn compare_part(&mut self, path: &str, old: Option<&'a Value>, new: Option<&'a Value>) {
        match (old, new) {
            (Some(old), Some(new)) => self.compare(path, old, new),
            (Some(old), None) => {
                let was = kind(self.old, self.old.resolve(old));
                self.note(path, Change::Removed { was });
            }
            (None, Some(new)) => {
                let is = kind(self.new, self.new.resolve(new));
                self.note(path, Change::Added { is });
            }
            (None, None) => {}
        }
    }

    /// The fields of an object, each of which may have another name.
    fn compare_fields(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (olds, news) = (properties(old), properties(new));
        let gone: Vec<_> = olds.iter().filter(|(name, _)| !news.contains_key(*name)).collect();
        let come: Vec<_> = news.iter().filter(|(name, _)| !olds.contains_key(*name)).collect();
        if let ([(was, gone)], [(is, come)]) = (&gone[..], &come[..])
            && is_required(old, was) == is_required(new, is)
            && self.is_same(gone, come)
        {
            let to = join(path, is);
            self.note(&join(path, was), Change::Renamed { to });
        } else {
            for (name, schema) in gone {
                let was = Self::field(self.old, old, name, schema);
                self.note(&join(path, name), Change::Removed { was });
            }
            for (name, schema) in come {
                let is = Self::field(self.new, new, name, schema);
                self.note(&join(path, name), Change::Added { is });
            }
        }
        for (name, schema) in olds {
            let Some(other) = news.get(name) else { continue };
            let path = join(path, name);
            let (was, is) = (is_required(old, name), is_required(new, name));
            if was != is {
                let word = |required| if required { "required" } else { "optional" }.to_owned();
                self.note(&path, Change::Changed { was: word(was), is: word(is) });
            }
            self.compare(&path, schema, other);
        }
    }

    fn field(root: Root<'_>, object: &Value, name: &str, schema: &Value) -> String {
        let optional = if is_required(object, name) { "" } else { ", optional" };
        format!("{}{optional}", kind(root, root.resolve(schema)))
    }

    /// Whether two parts have one form.
    fn is_same(&self, old: &'a Value, new: &'a Value) -> bool {
        let mut apart =
            Comparison { old: self.old, new: self.new, seen: self.seen.clone(), found: vec![] };
        apart.compare("", old, new);
        apart.found.is_empty()
    }

    /// The variants of an enum, which are known by their names.
    fn compare_variants(
        &mut self,
        path: &str,
        old: &BTreeMap<String, Option<&'a Value>>,
        new: &BTreeMap<String, Option<&'a Value>>,
    ) {
        for (name, body) in old {
            let place = join(path, name);
            match new.get(name) {
                None => self.note(&place, Change::Removed { was: "a variant".into() }),
                Some(other) => self.compare_part(&place, *body, *other),
            }
        }
        for name in new.keys().filter(|name| !old.contains_key(*name)) {
            self.note(&join(path, name), Change::Added { is: "a variant".into() });
        }
    }

    /// Alternatives without names, which are known by their places.
    fn compare_alternatives(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        for part in ["oneOf", "anyOf"] {
            let (old, new) = (list(old, part), list(new, part));
            if old.len() != new.len() {
                let count = |list: &[Value]| format!("{} alternatives", list.len());
                self.note(path, Change::Changed { was: count(old), is: count(new) });
                continue;
            }
            for (old, new) in old.iter().zip(new) {
                self.compare(path, old, new);
            }
        }
    }

    /// The places of a tuple.
    fn compare_places(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (list(old, "prefixItems"), list(new, "prefixItems"));
        for place in 0..old.len().max(new.len()) {
            self.compare_part(&format!("{path}[{place}]"), old.get(place), new.get(place));
        }
    }

    /// Whatever else a schema says, such as a pattern or a limit.
    fn compare_rest(&mut self, path: &str, old: &Value, new: &Value) {
        if old == new {
            return;
        }
        let rest = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (old, new) = (rest(old), rest(new));
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for name in names {
            let is_left_out =
                PARTS.contains(&name.as_str()) || ANNOTATIONS.contains(&name.as_str());
            if is_left_out || old.get(name) == new.get(name) {
                continue;
            }
            let text = |value: Option<&Value>| {
                value.map_or_else(|| format!("no {name}"), |value| format!("{name} {value}"))
            };
            let (was, is) = (text(old.get(name)), text(new.get(name)));
            self.note(path, Change::Changed { was, is });
        }
    }
}

fn properties(schema: &Value) -> BTreeMap<&str, &Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
}

fn list<'a>(schema: &'a Value, part: &str) -> &'a [Value] {
    schema.get(part).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
