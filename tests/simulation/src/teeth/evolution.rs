use super::Defect;

/// What is wrong with stored states of other releases, and damaged ones.
pub(super) const DEFECTS: &[Defect] = &[
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
