//! The states of deciders and sagas, locked as what a history of events comes to.
//!
//! A state has no schema: it is a cache, and need not be described to anybody. What shows that its
//! form or `evolve` has changed is that the same events come to something else.

use serde_json::Value;
use skyfold::{
    Announced, App, CloudEvent, Error, ErrorKind, FoldedState, Kind, RecordedEvent, Result,
};

use crate::folder::Folder;
use crate::report::{Finding, FindingKind, Report};
use crate::value_difference::value_differences;

/// A state, and the file that it is locked in.
struct Folded {
    file: String,
    format: u32,
    state: Value,
}

/// Compares the states of `app` with those that are locked.
pub(crate) fn check(app: &App, folder: &Folder, report: &mut Report) -> Result<()> {
    for name in functions(app) {
        let Some(history) = history(folder, &name)? else {
            report.notes.push(format!(
                "no change of the state of {name} is noticed: put events that it has a state of \
                 into {}, as `{} events show STREAM --json` prints them",
                history_file(&name),
                app.name()
            ));
            continue;
        };
        let finding = match after(app, &name, &history) {
            Ok(folded) => compare(app, folder, &name, &folded)?,
            Err(error) => Some(Finding {
                subject: format!("{name}.state"),
                kind: FindingKind::Unreadable,
                problem: format!("the events of {} have no state: {error}", history_file(&name)),
                differences: vec![],
                fix: format!("correct the upcasters or `evolve` of {name}"),
            }),
        };
        report.findings.extend(finding);
    }
    Ok(())
}

/// Locks the states under formats that are not locked.
pub(crate) fn accept(app: &App, folder: &Folder, files: &mut Vec<String>) -> Result<()> {
    for name in functions(app) {
        let Some(history) = history(folder, &name)? else { continue };
        let Folded { file, state, .. } = after(app, &name, &history)?;
        if folder.read::<Value>(&file)?.is_none() {
            folder.create(&file, &state)?;
            files.push(file);
        }
    }
    Ok(())
}

/// What keeps a state.
fn functions(app: &App) -> Vec<String> {
    let functions = app.manifest().functions.into_iter();
    let with_state = functions.filter(|found| matches!(found.kind, Kind::Command | Kind::Saga));
    with_state.map(|function| function.name).collect()
}

fn history_file(name: &str) -> String {
    format!("{name}.history.jsonl")
}

fn history(folder: &Folder, name: &str) -> Result<Option<Vec<RecordedEvent>>> {
    let file = history_file(name);
    let Some(lines) = folder.read_lines::<CloudEvent>(&file)? else { return Ok(None) };
    let event = |mut line: CloudEvent| {
        // An event without fields is printed as one whose data is null.
        line.data.get_or_insert_default();
        match line.into_announced()? {
            Announced::Event(event) => Ok(event),
            reference => {
                let message = format!("{file} has no data of {}", reference.id());
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    };
    lines.into_iter().map(event).collect::<Result<_>>().map(Some)
}

fn after(app: &App, name: &str, history: &[RecordedEvent]) -> Result<Folded> {
    let FoldedState { format, state } = app.state_after(name, history)?;
    let file = format!("{name}.state.v{format}.json");
    Ok(Folded { file, format, state: state.decode()? })
}

fn compare(app: &App, folder: &Folder, name: &str, folded: &Folded) -> Result<Option<Finding>> {
    let Folded { file, format, state } = folded;
    let finding = |kind, problem, differences, fix| {
        let subject = format!("{name}.state.v{format}");
        Some(Finding { subject, kind, problem, differences, fix })
    };
    let accept = format!("run `{} schemas accept`", app.name());
    let Some(before) = folder.read::<Value>(file)? else {
        let problem = "it is not locked".to_owned();
        return Ok(finding(FindingKind::New, problem, vec![], accept));
    };
    let differences = value_differences(&before, state);
    if differences.is_empty() {
        return Ok(None);
    }
    let problem = format!("the same events come to another state, and it is still format {format}");
    let fix = format!(
        "raise the format in the `SNAPSHOTS` of {name} to {}, so that stored states are not taken \
         for what they are not, and {accept}; if it is {} that has changed, remove {file} first",
        format + 1,
        history_file(name)
    );
    Ok(finding(FindingKind::Changed, problem, differences, fix))
}
