//! What must hold of every stream, whatever is in it.

use std::collections::HashSet;

use skyfold::{RecordedCommit, Version};

use crate::evidence::Evidence;
use crate::violation::{Rule, Verdict, ensure};

pub(super) fn check(evidence: &Evidence) -> Verdict {
    let recorded = evidence.log.streams.len();
    let stored = evidence.stored.len();
    ensure(Rule::StoreKeeps, recorded == stored, || {
        format!("{stored} streams instead of {recorded}")
    })?;
    for (stream, commits) in &evidence.stored {
        let recorded = evidence.log.commits(stream);
        let is_same = commits.len() == recorded.len()
            && commits.iter().zip(recorded).all(|(one, other)| *one == **other);
        ensure(Rule::StoreKeeps, is_same, || format!("{stream} differs"))?;
        check_stream(commits)?;
    }
    Ok(())
}

fn check_stream(commits: &[RecordedCommit]) -> Verdict {
    let (mut reached, mut time, mut ids) = (Version::EMPTY, None, HashSet::new());
    for commit in commits {
        let place = || format!("{}@{}", commit.stream, commit.first);
        ensure(Rule::VersionsAreDense, commit.first == reached.next(), place)?;
        ensure(Rule::RecordedOnce, ids.insert(commit.commit.id().clone()), || {
            format!("{} by {}", place(), commit.commit.id())
        })?;
        ensure(Rule::TimesNeverFall, time <= Some(commit.commit.time()), place)?;
        (reached, time) = (commit.last(), Some(commit.commit.time()));
    }
    Ok(())
}
