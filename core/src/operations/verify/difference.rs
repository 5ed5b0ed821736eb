use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many differences of one view are told.
const DIFFERENCES_MAX: usize = 10;

/// How many characters of a value are told.
const VALUE_CHARS_MAX: usize = 120;

/// Where a view differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Where in the view, as a JSON Pointer (RFC 6901); empty for all of it.
    pub pointer: String,
    /// What it shows there, cut to 120 characters; absent if it shows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// What it should show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// The first differences between what is `shown` and what is `expected`.
pub(crate) fn differences(shown: Option<&Value>, expected: Option<&Value>) -> Vec<Difference> {
    let mut found = vec![];
    compare(&mut found, String::new(), shown, expected);
    found
}

fn compare(
    found: &mut Vec<Difference>,
    pointer: String,
    shown: Option<&Value>,
    expected: Option<&Value>,
) {
    if shown == expected || found.len() >= DIFFERENCES_MAX {
        return;
    }
    match (shown, expected) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let missing = other.keys().filter(|name| !one.contains_key(*name));
            for name in one.keys().chain(missing) {
                let step = name.replace('~', "~0").replace('/', "~1");
                compare(found, format!("{pointer}/{step}"), one.get(name), other.get(name));
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for nth in 0..one.len().max(other.len()) {
                compare(found, format!("{pointer}/{nth}"), one.get(nth), other.get(nth));
            }
        }
        _ => found.push(Difference { pointer, shown: text(shown), expected: text(expected) }),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.map(|value| value.to_string().chars().take(VALUE_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(shown: &Value, expected: &Value) -> Vec<String> {
        differences(Some(shown), Some(expected)).into_iter().map(|found| found.pointer).collect()
    }

    #[test]
    fn each_place_that_differs_is_pointed_at() {
        let shown = json!({ "same": 1, "a/b~": [1, 2, 3], "more": null, "deep": { "x": 1 } });
        let expected = json!({ "same": 1, "a/b~": [1, 3], "deep": { "x": "1" }, "less": 0 });
        let found = pointers(&shown, &expected);
        assert_eq!(found, ["/a~1b~0/1", "/a~1b~0/2", "/deep/x", "/more", "/less"]);
        assert_eq!(differences(Some(&shown), Some(&shown)), []);
        assert_eq!(differences(None, Some(&json!(1)))[0].expected.as_deref(), Some("1"));
    }

    #[test]
    fn what_is_told_is_bounded() {
        let many = |n: usize| json!((0..1000).map(|k| k * n).collect::<Vec<_>>());
        assert_eq!(pointers(&many(1), &many(2)).len(), DIFFERENCES_MAX);
        let long = differences(Some(&json!("x".repeat(9999))), None);
        assert_eq!(long[0].shown.as_ref().unwrap().len(), VALUE_CHARS_MAX);
    }
}
