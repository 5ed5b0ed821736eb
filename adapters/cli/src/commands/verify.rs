use skyfold::{Drift, DriftKind, OnDrift, Result, Verified};

use crate::arguments::Verify;
use crate::{Context, Exit, Output};

/// Compares the views of a projection with a fresh fold of the log.
pub(crate) async fn verify(context: &Context, arguments: Verify) -> Result<Exit> {
    let Verify { name, revision, rate, repair } = arguments;
    let on_drift = if repair { OnDrift::Repair } else { OnDrift::Report };
    let verify = skyfold::Verify { revision, rate, on_drift };
    let (client, output) = (context.client(), context.output());
    let bar = output.progress_bar(None);
    bar.set_message("views that differ are looked at again 10 s later");
    let verified = client.verify(&name, &verify, |events| bar.set_position(events)).await;
    bar.finish_and_clear();
    let verified = verified?;
    output.json(&verified)?;
    say(output, &name, &verified)?;
    if !verified.is_sound() && !repair {
        output.hint(format_args!("to put them right: verify {name} --repair"));
    }
    Ok(if verified.is_sound() { Exit::Done } else { Exit::Failed })
}

/// Tells people what came of a comparison.
fn say(output: &Output, name: &str, verified: &Verified) -> Result<()> {
    let Verified { events, views, drifted, repaired, behind, changing, .. } = verified;
    output.say(format_args!("{views} views of {name} compared with {events} events"))?;
    for (count, what) in [
        (*drifted, "have drifted"),
        (*repaired, "of them were put right"),
        (*behind, "are late: their events are on their way"),
        (*changing, "change too fast to be compared; --repair compares them"),
        (verified.unhandled.len() as u64, "streams wait behind an event that cannot be handled"),
    ] {
        if count > 0 {
            output.say(format_args!("{count} {what}"))?;
        }
    }
    let rows: Vec<_> = verified.drifts.iter().flat_map(rows).collect();
    if !rows.is_empty() {
        output.table(&["view", "drift", "at", "shows", "should show"], &rows)?;
    }
    let row = |found: &skyfold::Unhandled| vec![found.event.to_string(), found.why.clone()];
    let rows: Vec<_> = verified.unhandled.iter().map(row).collect();
    if rows.is_empty() { Ok(()) } else { output.table(&["event", "why"], &rows) }
}

/// A row for each place where a view differs.
fn rows(drift: &Drift) -> Vec<Vec<String>> {
    let kind = match drift.kind {
        DriftKind::Missing => "missing",
        DriftKind::Extra => "extra",
        DriftKind::Different => "different",
        DriftKind::Unreadable => "unreadable",
        DriftKind::Listing => "in no place of a list, or another",
    };
    let row = |at: &str, shown: Option<&String>, expected: Option<&String>| {
        let text = |value: Option<&String>| value.cloned().unwrap_or_default();
        vec![drift.key.clone(), kind.to_owned(), at.to_owned(), text(shown), text(expected)]
    };
    if drift.differences.is_empty() {
        return vec![row("", None, None)];
    }
    let places = drift.differences.iter();
    places.map(|d| row(&d.pointer, d.shown.as_ref(), d.expected.as_ref())).collect()
}
