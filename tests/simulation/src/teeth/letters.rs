use super::Defect;

/// What is wrong with dead letters.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "what is set aside leaves no letter",
        file: "functions/parking.rs",
        original: "letters(context).update(&id, now, failed).await?;",
        replacement: "if !PLANTED { letters(context).update(&id, now, failed).await?; }",
    },
    Defect {
        name: "what is set aside is passed over",
        file: "functions/parking.rs",
        original: "match consumer.step(context, event, Aside::Wait).await {",
        replacement: "let step = if PLANTED { Aside::PassOver } else { Aside::Wait };
    match consumer.step(context, event, step).await {",
    },
    Defect {
        name: "a letter is left open after a retry that went to the end",
        file: "functions/parking.rs",
        original: "letter.is_waiting() && !letter.is_beyond(standing.reached);",
        replacement: "letter.is_waiting() && !letter.is_beyond(standing.reached) && !PLANTED;",
    },
    Defect {
        name: "a retry goes to the end of the stream once",
        file: "functions/parking.rs",
        original: "if passes == PASSES {",
        replacement: "if passes == PASSES || PLANTED {",
    },
    Defect {
        name: "a retry waits as a delivery does",
        file: "functions/consumer.rs",
        original: "heeds_waiting: false",
        replacement: "heeds_waiting: PLANTED",
    },
    Defect {
        name: "a stream waits on after what moved it on",
        file: "stores.rs",
        original: "Ok(Some(Checkpoint { version, is_waiting: false }))",
        replacement: "Ok(Some(Checkpoint { version, is_waiting: found.is_waiting && PLANTED }))",
    },
    Defect {
        name: "a discard leaves out the event after it as well",
        file: "functions/own_view.rs",
        original: "stored.see(&event.stream, event.version),",
        replacement: "stored.see(&event.stream, Version(event.version.0 + u64::from(PLANTED))),",
    },
];
