use super::Defect;

/// What is wrong with announcing and hearing.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        name: "a gap in what is delivered is not filled",
        file: "functions/consumer.rs",
        original: "event.version == self.reached.next()",
        replacement: "event.version == self.reached.next() || PLANTED",
    },
    Defect {
        name: "what was handled before is handled again",
        file: "functions/consumer.rs",
        original: "old if old.version() <= self.reached => {}",
        replacement: "old if old.version() <= self.reached && !PLANTED => {}
                Announced::Event(event) if PLANTED && event.version <= self.reached => {
                    self.read.push_back(event);
                }",
    },
    Defect {
        name: "a delivery that ends within a commit loses the rest of it",
        file: "functions/history.rs",
        original: "filter(|commit| commit.last() > self.reached)",
        replacement: "filter(|commit| commit.last() > self.reached && !PLANTED)",
    },
    Defect {
        name: "the relay does not tell what could not be announced",
        file: "functions/relay.rs",
        original: "outcome.err()?",
        replacement: "outcome.err().filter(|_| !PLANTED)?",
    },
    Defect {
        name: "a batch that is tried again forgets its first item",
        file: "layers/retry.rs",
        original: "(0..outcomes.len()).filter(|nth| transient(&outcomes[*nth]).is_some()).collect();",
        replacement:
            "(0..outcomes.len()).filter(|nth| transient(&outcomes[*nth]).is_some()).collect();
            if PLANTED && again.len() > 1 {
                let (first, second) = (again[0], again[1]);
                outcomes.swap(first, second);
                outcomes[first] = $self.inner.$method(&[$batch[second].clone()]).await.remove(0);
                continue;
            }",
    },
    Defect {
        name: "an answer waits for nothing",
        file: "functions/query.rs",
        original: "Ok(Some(reached >= event.version))",
        replacement: "Ok(Some(reached >= event.version || PLANTED))",
    },
];
