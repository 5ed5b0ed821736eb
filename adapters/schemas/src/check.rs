use std::collections::BTreeSet;

use serde_json::{Value, json};
use skyfold::{App, Result};

use crate::export::current;
use crate::folder::{Folder, Form};
use crate::golden::{self, Now};
use crate::report::{Finding, FindingKind, Report};
use crate::schema_difference::differences;
use crate::states;
use crate::value_difference::value_differences;

/// Compares what `app` records and reads with what is locked in `folder`.
///
/// - The schema of every event is the one that is locked under its version, but for what it says
///   to people.
/// - Golden data of every version that was ever locked is read, and comes to what it came to when
///   the current version was locked; data of the current version is written as it was read.
/// - The state of a decider or saga after its locked history is the one that is locked under its
///   format.
///
/// # Errors
///
/// Those of the folder, naming the file. What does not fit is no error: it is in the report.
pub fn check(app: &App, folder: &Folder) -> Result<Report> {
    let locked = folder.forms()?;
    let mut check = Check { app, folder, report: Report::default() };
    let mut recorded = BTreeSet::new();
    for (form, schema) in current(app) {
        check.current(&form, &schema, &locked)?;
        recorded.insert((form.category, form.event_type));
    }
    for form in &locked {
        let is_changed = |finding: &Finding| {
            finding.subject == form.to_string() && finding.kind == FindingKind::Changed
        };
        if !check.report.findings.iter().any(is_changed) {
            let key = (form.category.clone(), form.event_type.clone());
            check.golden(form, recorded.contains(&key))?;
        }
    }
    states::check(app, folder, &mut check.report)?;
    Ok(check.report)
}

struct Check<'a> {
    app: &'a App,
    folder: &'a Folder,
    report: Report,
}

impl Check<'_> {
    /// Compares an event that is recorded today with what is locked of it.
    fn current(&mut self, form: &Form, schema: &Value, locked: &BTreeSet<Form>) -> Result<()> {
        let versions = locked
            .iter()
            .filter(|other| other.category == form.category && other.event_type == form.event_type)
            .map(|other| other.version);
        let newest = versions.max().unwrap_or(0);
        if newest > form.version {
            self.behind(form, newest);
            return Ok(());
        }
        let Some(old) = self.folder.read::<Value>(&form.schema_file())? else {
            self.new_form(form);
            return Ok(());
        };
        let differences = differences(&old, schema);
        if !differences.is_empty() {
            let fix = self.next_version(form);
            let problem = format!("it has changed, and is still version {}", form.version);
            self.find(form, FindingKind::Changed, problem, fix).differences = differences;
        }
        Ok(())
    }

    /// Reads the golden data of a form.
    fn golden(&mut self, form: &Form, is_recorded: bool) -> Result<()> {
        let Some(samples) = self.folder.read::<Vec<Value>>(&form.golden_file())? else {
            self.without_golden(form);
            return Ok(());
        };
        let now = match golden::read(self.app, form, &samples) {
            Ok(now) => now,
            Err(error) if is_recorded => {
                let fix = format!(
                    "correct the step from version {} in the upcasters of {}",
                    form.version, form.category
                );
                self.find(form, FindingKind::Unreadable, error.to_string(), fix);
                return Ok(());
            }
            Err(_) => {
                self.gone(form);
                return Ok(());
            }
        };
        if now.is(form) {
            self.written_again(form, &samples, &now);
            return Ok(());
        }
        match self.folder.read::<Now>(&form.now_file())? {
            Some(before) if before.is_like(&now) => self.read_again(form, &before, &now),
            _ => self.new_form(form),
        }
        Ok(())
    }

    /// Compares golden data of the current version with what it is when it is written.
    fn written_again(&mut self, form: &Form, samples: &[Value], now: &Now) {
        let differences = value_differences(&json!(samples), &json!(now.data));
        if !differences.is_empty() {
            let fix = self.next_version(form);
            let problem = format!("it is written otherwise, and is still version {}", form.version);
            self.find(form, FindingKind::Changed, problem, fix).differences = differences;
        }
    }

    /// Compares what golden data of an old version is by now with what it was before.
    fn read_again(&mut self, form: &Form, before: &Now, now: &Now) {
        let differences = value_differences(&json!(before.data), &json!(now.data));
        if !differences.is_empty() {
            let problem = format!("it is read as something else than in {}", form.now_file());
            let fix = format!(
                "leave released steps of the upcasters of {} as they are; a correction is a \
                 further step",
                form.category
            );
            self.find(form, FindingKind::ReadOtherwise, problem, fix).differences = differences;
        }
    }

    fn find(
        &mut self,
        form: &Form,
        kind: FindingKind,
        problem: String,
        fix: String,
    ) -> &mut Finding {
        let (subject, differences) = (form.to_string(), vec![]);
        self.report.findings.push(Finding { subject, kind, problem, differences, fix });
        self.report.findings.last_mut().expect("it was pushed just now")
    }

    fn new_form(&mut self, form: &Form) {
        let subject = form.to_string();
        if self.report.findings.iter().all(|finding| finding.subject != subject) {
            let fix =
                format!("run `{} schemas accept`, and commit what it writes", self.app.name());
            self.find(form, FindingKind::New, "it is not locked as it is read now".into(), fix);
        }
    }

    fn behind(&mut self, form: &Form, locked: u32) {
        let problem = format!("version {locked} is locked, and the code knows {}", form.version);
        let fix = format!(
            "bring back the steps of `{}` in the upcasters of {}",
            form.event_type, form.category
        );
        self.find(form, FindingKind::Behind, problem, fix);
    }

    fn without_golden(&mut self, form: &Form) {
        let file = form.golden_file();
        let fix = format!("bring back {file}: data of every version stays for ever");
        self.find(form, FindingKind::Unreadable, format!("{file} is not there"), fix);
    }

    fn gone(&mut self, form: &Form) {
        let Form { category, event_type, .. } = form;
        let fix = format!(
            "bring back the variant, make it a unit if it is recorded no more, or add \
             `.renamed(\"{event_type}\", …)` to the upcasters of {category}"
        );
        let problem = "the variant is gone, and its events cannot be read".to_owned();
        self.find(form, FindingKind::Gone, problem, fix);
    }

    fn next_version(&self, form: &Form) -> String {
        let Form { category, event_type, version } = form;
        format!(
            "add `.then(\"{event_type}\", |data| …)` to the upcasters of {category}, which begins \
             version {}, and run `{} schemas accept`",
            version + 1,
            self.app.name()
        )
    }
}
