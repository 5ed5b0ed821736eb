use super::Defect;

/// What is wrong with views.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "a view does not know what it has seen of its own stream",
        file: "functions/projector.rs",
        original: "stored.seen(stream).unwrap_or(Version::EMPTY)",
        replacement: "stored.seen(stream).filter(|_| !PLANTED).unwrap_or(Version::EMPTY)",
    },
    Defect {
        name: "a view of many streams does not know what it has seen",
        file: "functions/projector.rs",
        original: "let mut seen = stored.seen(stream);",
        replacement: "let mut seen = stored.seen(stream).filter(|_| !PLANTED);",
    },
    Defect {
        name: "a checkpoint is written before the views",
        file: "functions/projector.rs",
        original: "let by_key: Vec<_> = by_key::<P>(due, keys)?.into_iter().collect();",
        replacement: "let by_key: Vec<_> = by_key::<P>(due, keys)?.into_iter().collect();
            if PLANTED { checkpoints.advance(stream, last).await?; }",
    },
    Defect {
        name: "a view that has forgotten a stream trusts its silence",
        file: "functions/projector.rs",
        original: "seen.is_none() && stored.has_forgotten()",
        replacement: "seen.is_none() && stored.has_forgotten() && !PLANTED",
    },
    Defect {
        name: "a view forgets a stream without asking for its checkpoint",
        file: "functions/projector.rs",
        original: "reached >= seen);",
        replacement: "reached >= seen || PLANTED);",
    },
    Defect {
        name: "a view is written whatever it was read as",
        file: "functions/view.rs",
        original: "document.map_or(Guard::Absent, |document| Guard::At(document.revision.clone()));",
        replacement: "if PLANTED { Guard::None } else {
            document.map_or(Guard::Absent, |document| Guard::At(document.revision.clone()))
        };",
    },
    Defect {
        name: "a checkpoint is written whatever it was read as",
        file: "stores.rs",
        original: "document.map_or(Guard::Absent, |document| Guard::At(document.revision));",
        replacement: "if PLANTED { Guard::None } else {
                document.map_or(Guard::Absent, |document| Guard::At(document.revision))
            };",
    },
    Defect {
        name: "a checkpoint moves back",
        file: "stores.rs",
        original: "if found.version >= version {",
        replacement: "if found.version >= version && !PLANTED {",
    },
    Defect {
        name: "a view that another changed meanwhile is left as it is",
        file: "functions/projector.rs",
        original: "pending.push(view),",
        replacement: "if !PLANTED { pending.push(view) },",
    },
    Defect {
        name: "a view is in no list",
        file: "functions/view.rs",
        original: "listings::<P>(&key.id, view)?;",
        replacement: "if PLANTED { vec![] } else { listings::<P>(&key.id, view)? };",
    },
];
