use super::Defect;

/// What is wrong with personal data.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "a commit is recorded with personal data in the clear",
        file: "layers/sealing.rs",
        original: "if !commit.is_personal() {",
        replacement: "if !commit.is_personal() || PLANTED {",
    },
    Defect {
        name: "a view is kept with personal data in the clear",
        file: "layers/sealing.rs",
        original: "write.body.as_ref().is_some_and(|body| body.is_personal());",
        replacement: "write.body.as_ref().is_some_and(|body| body.is_personal() && !PLANTED);",
    },
    Defect {
        name: "forgetting leaves the keys where they are",
        file: "privacy/vault.rs",
        original: "self.keys.destroy(subject).await?;",
        replacement: "if !PLANTED { self.keys.destroy(subject).await?; }",
    },
    Defect {
        name: "keys that were read once are gone by for ever",
        file: "privacy/vault.rs",
        original: "now - *read < KEY_LIFETIME;",
        replacement: "(now - *read < KEY_LIFETIME || PLANTED);",
    },
    Defect {
        name: "the process that forgets goes on with the keys that it has",
        file: "privacy/vault.rs",
        original: "cached.rings.insert(subject.clone(), (self.clock.now(), Keyring::Destroyed));",
        replacement: "if !PLANTED {
            cached.rings.insert(subject.clone(), (self.clock.now(), Keyring::Destroyed));
        }",
    },
    Defect {
        name: "a newer key than those at hand is not asked for",
        file: "privacy/vault.rs",
        original: "keys.len() >= *number as usize,",
        replacement: "keys.len() >= *number as usize || PLANTED,",
    },
    Defect {
        name: "the first key of a subject is not kept",
        file: "privacy/vault.rs",
        original: "*ring = self.create(subject, 1).await?;",
        replacement: "*ring = if PLANTED {
                Keyring::Keys(vec![cipher::fresh_key()?])
            } else {
                self.create(subject, 1).await?
            };",
    },
    Defect {
        name: "whether somebody was forgotten is not asked",
        file: "functions/command.rs",
        original: "if !forgotten.is_empty() {",
        replacement: "if !forgotten.is_empty() && !PLANTED {",
    },
];
