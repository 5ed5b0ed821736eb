//! A timer gives its command if it is set, and only then.

use serde_json::Value;
use skyfold::ports::Timer;
use skyfold::{CommandId, EventId, Version};

use crate::checker::receipts::is_run;
use crate::evidence::Evidence;
use crate::history::{Answer, Attempt, Firing};
use crate::violation::{Rule, Verdict, ensure};

/// What was cancelled is never set again under the same id: so what ran was set when the attempt
/// began, and what was taken for cancelled was not set when it ended.
pub(super) fn check(evidence: &Evidence) -> Verdict {
    for attempt in &evidence.history.attempts {
        let Attempt { firing: Some(Firing { timer, began, ended }), request, .. } = attempt else {
            continue;
        };
        let holds = match &attempt.answer {
            Answer::Cancelled => !is_set(evidence, timer, *ended, &request.id),
            answer if is_run(answer) => is_set(evidence, timer, *began, &request.id),
            _ => true,
        };
        ensure(Rule::TimersFire, holds, || format!("{attempt:#?}"))?;
    }
    Ok(())
}

/// Whether the record `version` of its transaction says that `timer` gives the command `id`.
pub(super) fn is_set(evidence: &Evidence, timer: &Timer, version: Version, id: &CommandId) -> bool {
    let record = EventId { stream: timer.saga.clone(), version };
    let record = evidence.log.event(&record).and_then(|event| event.data.decode::<Value>().ok());
    record.is_some_and(|record| record["timers"][&timer.name] == id.as_str())
}
