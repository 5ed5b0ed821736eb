use crate::{Error, ErrorKind, Result};

/// The variables of an environment, of which one that is empty is none.
pub struct Variables<F>(F);

impl<F> std::fmt::Debug for Variables<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Their values may be secrets.
        f.write_str("Variables(..)")
    }
}

impl Variables<fn(&str) -> Option<String>> {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self(|name| std::env::var(name).ok())
    }
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// Those that `read` has.
    pub fn new(read: F) -> Self {
        Self(read)
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The values in that of `name`, which has commas between them; none if it is not set.
    pub fn list(&self, name: &str) -> Vec<String> {
        let value = self.get(name).unwrap_or_default();
        let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }

    /// The values of `names`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if not all of them are set: it says which are not.
    pub fn require<const N: usize>(&self, names: [&str; N]) -> Result<[String; N]> {
        let values = names.map(|name| self.get(name));
        let missing: Vec<_> =
            names.iter().zip(&values).filter(|(_, value)| value.is_none()).collect();
        if !missing.is_empty() {
            let missing: Vec<_> = missing.into_iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the environment does not set {}: the Terraform of the project knows their values",
                missing.join(", ")
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(values.map(Option::unwrap_or_default))
    }

    /// The values in that of `name`, of which there is one at least.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if there is none.
    pub fn require_list(&self, name: &str) -> Result<Vec<String>> {
        let values = self.list(name);
        if values.is_empty() {
            let message = format!("the environment does not set {name}: nobody could deliver");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_all_at_once() {
        let read = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let variables = Variables::new(read);
        let error = variables.require(["A", "EMPTY", "MISSING"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("does not set EMPTY, MISSING:"), "{error}");
        assert_eq!(variables.require(["A"]).unwrap(), ["a"]);
    }

    #[test]
    fn a_list_has_commas_and_perhaps_spaces_between_its_values() {
        let list = |text: &'static str| {
            let variables = Variables::new(move |_: &str| Some(text.to_owned()));
            (variables.list("L"), variables.require_list("L").is_ok())
        };
        assert_eq!(list("a, b,,c "), (vec!["a".into(), "b".into(), "c".into()], true));
        assert_eq!(list(" , "), (vec![], false));
    }
}
