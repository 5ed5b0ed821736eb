use std::collections::BTreeSet;

use serde_json::Value;

use crate::difference::{Change, Difference};

/// How many characters of a value are shown.
const SHOWN_CHARS_MAX: usize = 60;

/// In which places `found` differs from what was `expected`.
pub(crate) fn value_differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut differences = vec![];
    compare("", expected, found, &mut differences);
    differences
}

fn compare(path: &str, expected: &Value, found: &Value, differences: &mut Vec<Difference>) {
    if expected == found {
        return;
    }
    let mut part = |place: &str, expected: Option<&Value>, found: Option<&Value>| {
        let change = match (expected, found) {
            (Some(expected), Some(found)) => return compare(place, expected, found, differences),
            (Some(was), None) => Change::Removed { was: shown(was) },
            (None, Some(is)) => Change::Added { is: shown(is) },
            (None, None) => return,
        };
        differences.push(Difference::new(place, change));
    };
    match (expected, found) {
        (Value::Object(olds), Value::Object(news)) => {
            let names: BTreeSet<_> = olds.keys().chain(news.keys()).collect();
            for name in names {
                let dot = if path.is_empty() { "" } else { "." };
                part(&format!("{path}{dot}{name}"), olds.get(name), news.get(name));
            }
        }
        (Value::Array(olds), Value::Array(news)) => {
            for place in 0..olds.len().max(news.len()) {
                part(&format!("{path}[{place}]"), olds.get(place), news.get(place));
            }
        }
        _ => {
            let (was, is) = (shown(expected), shown(found));
            differences.push(Difference::new(path, Change::Changed { was, is }));
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
