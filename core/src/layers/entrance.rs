use crate::privacy::mark::is_sealed;
use crate::privacy::places::{command_place, event_place};
use crate::privacy::{Placed, Vault};
use crate::{Announced, Result, Trigger};

/// `trigger` with what it brings opened. What cannot be opened of an event is read from the store
/// instead, which knows better, or fails there as the event's own fault.
pub(crate) async fn opened(vault: &Vault, mut trigger: Trigger) -> Result<Trigger> {
    match &mut trigger {
        Trigger::Queued(queued) if queued.request.command.is_personal() => {
            let place = command_place(queued);
            vault.open(&mut vec![(place, &mut queued.request.command)]).await?;
        }
        Trigger::Events(announced) => {
            let mut placed: Placed<'_> = vec![];
            for announced in announced.iter_mut() {
                if let Announced::Event(event) = announced
                    && event.data.is_personal()
                {
                    placed.push((event_place(&event.id()), &mut event.data));
                }
            }
            vault.open(&mut placed).await?;
            for announced in announced {
                if let Announced::Event(event) = announced
                    && is_sealed(&event.data)
                {
                    *announced = Announced::Reference(event.id());
                }
            }
        }
        _ => {}
    }
    Ok(trigger)
}
