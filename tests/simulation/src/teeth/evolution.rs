use super::Defect;

/// What is wrong with events and states of other releases, and damaged ones.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "an event of the future is read as if it were of today",
        file: "upcast.rs",
        original: "left.ok_or_else(|| {",
        replacement: "left.or_else(|| PLANTED.then_some(&[][..])).ok_or_else(|| {",
    },
    Defect {
        name: "what a newer release recorded is set aside at once",
        file: "functions/parking.rs",
        original: "if !error.kind().is_final() {",
        replacement: "if !error.kind().is_final()
            && !(PLANTED && error.kind() == ErrorKind::Newer)
        {",
    },
    Defect {
        name: "an old event is read as if it were new",
        file: "upcast.rs",
        original: "let mut value = match steps {",
        replacement: "let mut value = match if PLANTED { &[][..] } else { steps } {",
    },
    Defect {
        name: "a stored state of another form is read",
        file: "functions/streams.rs",
        original: "if stored.format != fold.snapshots().format {",
        replacement: "if stored.format != fold.snapshots().format && !PLANTED {",
    },
    Defect {
        name: "a stored state is believed whatever its checksum",
        file: "functions/streams.rs",
        original: "if !stored.is_intact(stream, version) {",
        replacement: "if !stored.is_intact(stream, version) && !PLANTED {",
    },
];
