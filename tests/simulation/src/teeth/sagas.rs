use super::Defect;

/// What is wrong with sagas.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "a transaction does not look for its record",
        file: "functions/saga.rs",
        original: "if let Known::Recorded(entry) = loaded.known(context, &id).await? {",
        replacement: "if let Known::Recorded(entry) = loaded.known(context, &id).await?
                && !PLANTED {",
    },
    Defect {
        name: "a record that is found is not acted on again",
        file: "functions/saga.rs",
        original: "return dispatch(context, &commit).await;",
        replacement: "return if PLANTED { Ok(()) } else { dispatch(context, &commit).await };",
    },
    Defect {
        name: "the ids of effects are made up",
        file: "functions/record.rs",
        original: "CommandId::derived(heard.time, &parts)",
        replacement: "if PLANTED { CommandId::fresh(heard.time) } else {
        CommandId::derived(heard.time, &parts) }",
    },
    Defect {
        name: "the effects of one record have one id",
        file: "functions/record.rs",
        original: "&nth.to_string()];",
        replacement: "&if PLANTED { 0 } else { nth }.to_string()];",
    },
    Defect {
        name: "the events of one moment have one record",
        file: "functions/record.rs",
        original: "&event.id().to_string()])",
        replacement: "&if PLANTED { String::new() } else { event.id().to_string() }])",
    },
    Defect {
        name: "the checkpoint passes an event that failed",
        file: "functions/saga.rs",
        original: "if outcome.is_err() {",
        replacement: "if outcome.is_err() && !PLANTED {",
    },
    Defect {
        name: "whoever was faster is trusted to have recorded the same",
        file: "functions/saga.rs",
        original: "Err(error) if error.is_conflict() => {}",
        replacement: "Err(error) if error.is_conflict() => if PLANTED { return Ok(()) },",
    },
    Defect {
        name: "an effect is lost with its answer",
        file: "functions/record.rs",
        original: "outcomes.into_iter().collect::<Result<Vec<()>>>()?;",
        replacement: "if !PLANTED { outcomes.into_iter().collect::<Result<Vec<()>>>()?; }",
    },
    Defect {
        name: "a delay begins at the wrong time",
        file: "functions/record.rs",
        original: "(!after.is_zero()).then(|| event.time + after)",
        replacement: "(!after.is_zero() && !PLANTED).then(|| event.time + after)",
    },
    Defect {
        name: "a timer that was set is not in the record",
        file: "functions/timers.rs",
        original: "self.0.insert(name.clone(), id(nth));",
        replacement: "if !PLANTED { self.0.insert(name.clone(), id(nth)); }",
    },
    Defect {
        name: "the end of a transaction leaves its timers in the record",
        file: "functions/saga.rs",
        original: "true => Timers::default(),",
        replacement: "true if PLANTED => instance.timers,
                true => Timers::default(),",
    },
    Defect {
        name: "a timer that was cancelled fires all the same",
        file: "functions/timers.rs",
        original: "Ok(timers.0.get(&timer.name) == Some(&queued.request.id))",
        replacement: "Ok(timers.0.get(&timer.name) == Some(&queued.request.id) || PLANTED)",
    },
    Defect {
        name: "whether a timer is set is looked up in an old record",
        file: "functions/timers.rs",
        original: "store.read(&timer.saga, Range::NEWEST, 1, Consistency::Strong).await?;",
        replacement: "store.read(&timer.saga, Range::NEWEST, 1, if PLANTED {
            Consistency::Eventual
        } else {
            Consistency::Strong
        }).await?;",
    },
];
