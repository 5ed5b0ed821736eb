//! Which cases show which bullet of the ports' contracts.

mod promises;

pub use promises::CONTRACT;

/// One bullet of a port's `# Contract`, and the cases that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The port's file in `core/src/ports`.
    pub port: &'static str,
    /// The bullet's text, without the targets of its links.
    pub bullet: &'static str,
    /// The cases that fail where it is broken, as `group::name`.
    pub cases: &'static [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::GROUPS;

    /// The files of the ports, in order.
    const PORTS: &[(&str, &str)] = &[
        ("clock.rs", include_str!("../../../../core/src/ports/clock.rs")),
        ("documents.rs", include_str!("../../../../core/src/ports/documents.rs")),
        ("event_feed.rs", include_str!("../../../../core/src/ports/event_feed.rs")),
        ("event_store.rs", include_str!("../../../../core/src/ports/event_store.rs")),
        ("key_store.rs", include_str!("../../../../core/src/ports/key_store.rs")),
        ("publisher.rs", include_str!("../../../../core/src/ports/publisher.rs")),
        ("queue.rs", include_str!("../../../../core/src/ports/queue.rs")),
    ];

    /// The bullets of every `# Contract` in `source`.
    fn bullets(source: &str) -> Vec<String> {
        let (mut bullets, mut in_contract) = (vec![], false);
        for line in source.lines() {
            let Some(doc) = line.trim_start().strip_prefix("///") else {
                in_contract = false;
                continue;
            };
            let text = doc.trim();
            if text.starts_with('#') {
                in_contract = text == "# Contract";
            } else if let Some(bullet) = text.strip_prefix("- ").filter(|_| in_contract) {
                bullets.push(bullet.to_owned());
            } else if let Some(last) =
                bullets.last_mut().filter(|_| in_contract && !text.is_empty())
            {
                last.push(' ');
                last.push_str(text);
            }
        }
        bullets.iter().map(|bullet| without_targets(bullet)).collect()
    }

    /// `text` with each link replaced by what it says.
    fn without_targets(text: &str) -> String {
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, link)) = rest.split_once('[') {
            let (says, target) = link.split_once(']').expect("a link ends");
            let after = target.split_once(')').filter(|_| target.starts_with('('));
            plain.push_str(before);
            plain.push_str(says);
            rest = after.map_or(target, |(_, after)| after);
        }
        plain + rest
    }

    #[test]
    fn every_bullet_of_every_contract_is_promised_here_and_nothing_else() {
        let written: Vec<_> = PORTS
            .iter()
            .flat_map(|(port, source)| bullets(source).into_iter().map(move |b| (*port, b)))
            .collect();
        let promised: Vec<_> =
            CONTRACT.iter().map(|promise| (promise.port, promise.bullet.to_owned())).collect();
        assert_eq!(promised, written);
        assert!(PORTS.iter().all(|(_, source)| !bullets(source).is_empty()));
    }

    #[test]
    fn every_port_is_among_the_files() {
        let ports = include_str!("../../../../core/src/ports/mod.rs");
        let modules = ports.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
        let files: Vec<_> = modules.map(|module| format!("{module}.rs")).collect();
        assert_eq!(files, PORTS.iter().map(|(file, _)| (*file).to_owned()).collect::<Vec<_>>());
    }

    #[test]
    fn every_promise_has_a_case_and_every_case_that_is_named_exists() {
        let cases: Vec<_> = GROUPS
            .iter()
            .flat_map(|(group, cases)| cases.iter().map(move |c| format!("{group}::{}", c.name)))
            .collect();
        for promise in CONTRACT {
            assert!(!promise.cases.is_empty(), "{}", promise.bullet);
            for named in promise.cases {
                assert!(cases.iter().any(|case| case == named), "{named} of: {}", promise.bullet);
            }
        }
        let mut distinct = cases.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), cases.len(), "each case is there once");
    }
}
