use crate::{Copy, Refused, Resources, Tools};

/// A mistake: in which file, what it says, what it is spoiled to, and what Terraform says to that.
pub type Mistake = (&'static str, &'static str, &'static str, &'static str);

/// Variables that cannot be, and what is said against them.
pub type Impossible = (&'static [(&'static str, &'static str)], &'static str);

/// Sees that each of `mistakes` is refused as is said, in a copy of its own.
///
/// # Panics
///
/// If not.
pub fn are_refused(mistakes: &[Mistake], copy: impl Fn(&str) -> Copy, tools: &Tools) {
    for (nth, (file, from, to, expected)) in mistakes.iter().enumerate() {
        let copy = copy(&format!("mistake-{nth}"));
        copy.spoil(file, from, to);
        let Err(Refused(said)) = copy.validate(tools) else { panic!("accepted: {to}") };
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(expected), "{to}: {said}");
    }
}

/// Sees that `apply` refuses all of these `variables` as is said, each in a copy of its own.
///
/// # Panics
///
/// If not.
pub fn are_impossible(
    variables: &[Impossible],
    copy: impl Fn(&str) -> Copy,
    apply: impl Fn(&Copy) -> Result<Resources, Refused>,
) {
    for (nth, (variables, expected)) in variables.iter().enumerate() {
        let copy = copy(&format!("variables-{nth}"));
        let copy = variables.iter().fold(copy, |copy, (name, value)| copy.with(name, value));
        let Err(Refused(said)) = apply(&copy) else { panic!("accepted: {variables:?}") };
        assert!(said.contains(expected), "{variables:?}: {said}");
    }
}
