use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde::Serialize;
use skyfold::{AsOf, Progress, Rehearsed, Replayed, Result, Unhandled};

use crate::arguments::Replay;
use crate::{Context, Exit, Format, Output};

/// How often machines are told how far a replay is.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What a replay came to.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    #[serde(flatten)]
    replayed: &'a Replayed,
    seconds: f64,
    /// Whether the revision answers now, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    switched: Option<bool>,
}

/// Builds the views of a projection from past events.
pub(crate) async fn replay(context: &Context, arguments: Replay) -> Result<Exit> {
    let (since, version) = match arguments.from {
        Some(AsOf::Time(time)) => (Some(time), None),
        Some(AsOf::Version(version)) => (None, Some(version)),
        _ => (None, None),
    };
    let replay = skyfold::Replay {
        revision: arguments.revision,
        categories: arguments.categories.clone(),
        since,
        version,
        rate: arguments.rate,
        start: arguments.start(),
    };
    if arguments.dry_run {
        return dry_run(context, &arguments.name, &replay).await;
    }
    let (client, output) = (context.client(), context.output());
    let mut watch = Watch::new(output);
    let replayed = client.replay(&arguments.name, &replay, |progress| watch.tell(progress)).await;
    let seconds = watch.end();
    let replayed = replayed?;
    let is_whole = replayed.unhandled == 0;
    let switched = arguments.switch && is_whole;
    if switched {
        client.switch(&arguments.name, Some(replayed.revision)).await?;
    }
    let (name, switched) = (&*arguments.name, arguments.switch.then_some(switched));
    output.json(&Told { name, replayed: &replayed, seconds, switched })?;
    say(output, name, &replayed, seconds)?;
    if switched == Some(true) {
        output.say(format_args!("revision {} of {name} answers now", replayed.revision))?;
    }
    Ok(if is_whole { Exit::Done } else { Exit::Failed })
}

/// Tells what a replay would change and what it could not handle, and writes no view.
async fn dry_run(context: &Context, name: &str, replay: &skyfold::Replay) -> Result<Exit> {
    let output = context.output();
    let mut watch = Watch::new(output);
    let client = context.client();
    let rehearsed = client.rehearse(name, replay, |progress| watch.tell(progress)).await;
    watch.end();
    let rehearsed = rehearsed?;
    output.json(&rehearsed)?;
    let Rehearsed { revision, events, new, examples, unhandled } = rehearsed;
    output
        .say(format_args!("{new} of {events} events are new to revision {revision} of {name}"))?;
    if !examples.is_empty() {
        let rows: Vec<_> = examples.iter().map(|event| vec![event.to_string()]).collect();
        output.table(&["new from"], &rows)?;
    }
    if unhandled.is_empty() {
        return Ok(Exit::Done);
    }
    output.say(format_args!("{} streams could not be handled to their end:", unhandled.len()))?;
    tell_unhandled(output, &unhandled)?;
    Ok(Exit::Failed)
}

fn say(output: &Output, name: &str, replayed: &Replayed, seconds: f64) -> Result<()> {
    let Replayed { events, unhandled, examples, .. } = replayed;
    let rate = *events as f64 / seconds.max(f64::MIN_POSITIVE);
    output.say(format_args!("{events} events to {name} in {seconds:.1} s, {rate:.0} a second"))?;
    if *unhandled == 0 {
        return Ok(());
    }
    output.say(format_args!("{unhandled} could not be handled, and hold up their streams:"))?;
    tell_unhandled(output, examples)
}

fn tell_unhandled(output: &Output, unhandled: &[Unhandled]) -> Result<()> {
    let row = |found: &Unhandled| vec![found.event.to_string(), found.why.clone()];
    output.table(&["event", "why"], &unhandled.iter().map(row).collect::<Vec<_>>())
}

/// Tells how far a replay is: people by a bar, with its rate and the time that is left, machines
/// by a line a second.
struct Watch<'a> {
    output: &'a Output,
    bar: ProgressBar,
    begun: Instant,
    told: Instant,
}

impl<'a> Watch<'a> {
    fn new(output: &'a Output) -> Self {
        let (bar, now) = (output.progress_bar(None), Instant::now());
        Self { output, bar, begun: now, told: now }
    }

    fn tell(&mut self, progress: &Progress) {
        let Progress { slices_done, slices, events, fraction } = progress;
        let left = left(self.begun.elapsed(), *fraction);
        let left = left.map_or_else(String::new, |left| format!(", {} s left", left.as_secs()));
        self.bar.set_position(*events);
        let percent = fraction * 100.0;
        self.bar.set_message(format!("{percent:.0} %, slice {slices_done} of {slices}{left}"));
        if self.output.format() == Format::Json && self.told.elapsed() >= REPORT_EVERY {
            self.told = Instant::now();
            self.output.remark_json(progress);
        }
    }

    /// How many seconds it took.
    fn end(self) -> f64 {
        self.bar.finish_and_clear();
        self.begun.elapsed().as_secs_f64()
    }
}

/// How long the rest will take, if it goes on as it went.
fn left(elapsed: Duration, fraction: f64) -> Option<Duration> {
    let left = elapsed.as_secs_f64() * (1.0 - fraction) / fraction;
    Duration::try_from_secs_f64(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done() {
        let minute = Duration::from_secs(60);
        assert_eq!(left(minute, 0.25), Some(3 * minute));
        assert_eq!(left(minute, 1.0), Some(Duration::ZERO));
        assert_eq!(left(minute, 0.0), None, "nobody knows yet");
    }
}
