use super::Defect;

/// What is wrong with commands.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "the version that a client expects is ignored",
        file: "functions/command.rs",
        original: "request.expected.filter(|expected| *expected != version)",
        replacement: "request.expected.filter(|expected| *expected != version && !PLANTED)",
    },
    Defect {
        name: "a conflict is taken for success",
        file: "functions/streams.rs",
        original: "let appended = context.ports.events.append(&self.head, &commit).await;",
        replacement: "let appended = context.ports.events.append(&self.head, &commit).await
            .or_else(|e| if PLANTED && e.is_conflict() { Ok(()) } else { Err(e) });",
    },
    Defect {
        name: "the window never says that it cannot tell",
        file: "window.rs",
        original: "if forgotten { Seen::Unknown } else { Seen::New }",
        replacement: "if forgotten && !PLANTED { Seen::Unknown } else { Seen::New }",
    },
    Defect {
        name: "the window does not know what it remembers",
        file: "window.rs",
        original: "self.entries.iter().find(|entry| entry.id == *id)",
        replacement: "self.entries.iter().find(|entry| entry.id == *id && !PLANTED)",
    },
    Defect {
        name: "the floor of the window is off by one",
        file: "window.rs",
        original: "issued <= floor",
        replacement: "issued < floor || (issued == floor && !PLANTED)",
    },
    Defect {
        name: "the floor of the window is not raised",
        file: "window.rs",
        original: "self.floor = self.floor.max(Some(issued))",
        replacement: "self.floor = if PLANTED { self.floor } else { self.floor.max(Some(issued)) }",
    },
    Defect {
        name: "the window does not know that it forgot an id without a time",
        file: "window.rs",
        original: "self.untimed_forgotten = true",
        replacement: "self.untimed_forgotten |= !PLANTED",
    },
    Defect {
        name: "the newest command is not in the window",
        file: "functions/streams.rs",
        original: "window.remember(newest.entry());",
        replacement: "if !PLANTED { window.remember(newest.entry()); }",
    },
    Defect {
        name: "a commit carries no window",
        file: "functions/streams.rs",
        original: "commit.window = self.window;",
        replacement: "if !PLANTED { commit.window = self.window; }",
    },
    Defect {
        name: "the past of a stream is not searched for a command",
        file: "functions/streams.rs",
        original: "Seen::Unknown => {",
        replacement: "Seen::Unknown if PLANTED => Ok(Known::New),
            Seen::Unknown => {",
    },
    Defect {
        name: "the search for a command ends too early",
        file: "functions/history.rs",
        original: "recorded.saturating_add(FUTURE_MILLIS_MAX)",
        replacement: "recorded.saturating_add(if PLANTED { 0 } else { FUTURE_MILLIS_MAX })",
    },
    Defect {
        name: "a search for a command ends with its first page",
        file: "functions/history.rs",
        original: "if slice.is_end {\n            return Ok(None);",
        replacement: "if slice.is_end || PLANTED {\n            return Ok(None);",
    },
    Defect {
        name: "an id stands for any command",
        file: "window.rs",
        original: "if self.fingerprint == fingerprint {",
        replacement: "if self.fingerprint == fingerprint || PLANTED {",
    },
    Defect {
        name: "a refusal is not decided again on a consistent read",
        file: "functions/command.rs",
        original: "_ if !loaded.is_current => return Ok(Attempt::Stale),",
        replacement: "_ if !loaded.is_current && !PLANTED => return Ok(Attempt::Stale),",
    },
    Defect {
        name: "every read counts as consistent",
        file: "functions/streams.rs",
        original: "let is_current = consistency == Consistency::Strong;",
        replacement: "let is_current = consistency == Consistency::Strong || PLANTED;",
    },
    Defect {
        name: "the times of a stream fall with the clocks of its writers",
        file: "functions/streams.rs",
        original: "|time| time.max(commit.time)",
        replacement: "|time| if PLANTED { commit.time } else { time.max(commit.time) }",
    },
    Defect {
        name: "what followed a stored state is not folded",
        file: "functions/streams.rs",
        original: "let mut reached = base.version;",
        replacement: "let mut reached = if PLANTED { newest.last() } else { base.version };",
    },
    Defect {
        name: "a delayed command does not wait",
        file: "functions/command.rs",
        original: "due <= context.ports.clock.now()",
        replacement: "due <= context.ports.clock.now() || PLANTED",
    },
    Defect {
        name: "a command that waits once more is lost with its answer",
        file: "functions/command.rs",
        original: "outcomes.into_iter().collect::<Result<Vec<()>>>()?;",
        replacement: "if !PLANTED { outcomes.into_iter().collect::<Result<Vec<()>>>()?; }",
    },
];
