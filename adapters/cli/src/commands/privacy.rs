use serde_json::json;
use skyfold::{ForgetRequest, Result};

use crate::arguments::Privacy;
use crate::{Context, Exit, time_text};

/// Forgets subjects of personal data, and shows who was forgotten.
pub(crate) async fn privacy(context: &Context, command: Privacy) -> Result<Exit> {
    let (client, output) = (context.client(), context.output());
    match command {
        Privacy::Forget(arguments) => {
            let (subject, by, reason) = (arguments.subject, arguments.by, arguments.reason);
            let receipt = client.forget(&ForgetRequest { subject, by, reason }).await?;
            output.json(&receipt)?;
            let time = time_text(receipt.time);
            output.say(format_args!("{} was forgotten at {time}", receipt.subject))?;
        }
        Privacy::Forgotten(arguments) => {
            let page = client.forgotten(arguments.limit, arguments.cursor).await?;
            output.json(&page)?;
            let rows = page.items.into_iter().map(|receipt| {
                let time = time_text(receipt.time);
                vec![receipt.subject.to_string(), time, receipt.by, receipt.reason]
            });
            output
                .table(&["subject", "forgotten at", "by", "reason"], &rows.collect::<Vec<_>>())?;
            if let Some(next) = page.next {
                output.say(format_args!("there is more: --cursor {next}"))?;
            }
        }
        Privacy::Renew(arguments) => {
            let subject = arguments.subject;
            let number = client.runtime()?.privacy().renew_key(&subject).await?;
            output.json(&json!({ "subject": subject, "key": number }))?;
            output.say(format_args!("key {number} seals what is recorded of {subject} now"))?;
        }
    }
    Ok(Exit::Done)
}
