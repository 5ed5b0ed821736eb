use std::collections::BTreeMap;

use crate::{Error, ErrorKind, Manifest, Result};

/// What the function `name` is called where a name may have letters, digits and `_` alone, such as
/// that of an environment variable: `_` stands for `-`, and `__` for `.`.
///
/// ```
/// assert_eq!(skyfold::host::plain_name("order-summary.2"), "order_summary__2");
/// ```
pub fn plain_name(name: &str) -> String {
    name.replace('.', "__").replace('-', "_")
}

/// What each function of `manifest`, and each of the `own` ones of a host, is called where a name
/// may have letters, digits and `_` alone ([`plain_name`]), by its name.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) if a function of the app has the name of one of the host's own,
/// or if two would be called the same, such as `a--b` and `a.b`.
pub fn plain_names(manifest: &Manifest, own: &[&str]) -> Result<BTreeMap<String, String>> {
    let mut named = BTreeMap::new();
    let mut names = BTreeMap::new();
    let functions = manifest.functions.iter().map(|function| function.name.as_str());
    for name in functions.chain(own.iter().copied()) {
        if let Some(other) = named.insert(plain_name(name), name) {
            return Err(Error::new(ErrorKind::Invalid, clash(name, other)));
        }
        names.insert(name.to_owned(), plain_name(name));
    }
    Ok(names)
}

fn clash(name: &str, other: &str) -> String {
    if name == other {
        return format!("a function of the app is named {name}, which is the host's");
    }
    let plain = plain_name(name);
    format!("the functions {other} and {name} would both be called {plain}: rename one of them")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(functions: &[&str], own: &[&str]) -> Result<BTreeMap<String, String>> {
        let functions = functions.iter().map(|name| json!({ "name": name, "kind": "query" }));
        let functions: Vec<_> = functions.collect();
        let manifest = json!({ "app": "example", "functions": functions });
        plain_names(&serde_json::from_value(manifest).unwrap(), own)
    }

    #[test]
    fn a_name_has_letters_digits_and_underscores_alone() {
        let named = named(&["order", "order-summary.2", "who-came"], &["sweep"]).unwrap();
        let named: Vec<_> = named.iter().map(|(name, plain)| (&**name, &**plain)).collect();
        let wanted = [
            ("order", "order"),
            ("order-summary.2", "order_summary__2"),
            ("sweep", "sweep"),
            ("who-came", "who_came"),
        ];
        assert_eq!(named, wanted);
    }

    #[test]
    fn two_functions_that_would_be_called_the_same_are_refused() {
        for pair in [["a--b", "a.b"], ["a-.b", "a.-b"], ["a..b", "a.--b"]] {
            let error = named(&pair, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{pair:?}");
            assert!(pair.iter().all(|name| error.message().contains(name)), "{error}");
        }
        named(&["a-b", "ab", "a.b"], &[]).unwrap();
    }

    #[test]
    fn a_name_of_the_hosts_own_is_refused() {
        let error = named(&["sweep"], &["sweep"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("named sweep, which is the host's"), "{error}");
    }
}
