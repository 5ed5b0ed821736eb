use crate::operations::progress::Journal;
use crate::operations::read_model::ReadModel;
use crate::revisions::{self, Pointer};
use crate::{Error, ErrorKind, Result};

impl ReadModel<'_> {
    /// Lets `revision` answer from now on, or the newest that the app lists, by one guarded write.
    /// The other revisions hear events as before, so that switching back is the same step.
    ///
    /// A revision may answer if it has answered before, or if a replay of everything has ended and
    /// all of it could be handled.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) if it was not built to the end, or somebody else switched
    /// at the same time; [`NotFound`](ErrorKind::NotFound) if the app does not list it.
    pub async fn switch(&self, revision: Option<u32>) -> Result<u32> {
        let model = self.revision(revision)?;
        let (documents, wanted) = (&*self.context.ports.documents, model.revision());
        let (pointer, document) = revisions::pointer(documents, self.name).await?;
        let active = pointer.active_of(&self.listed());
        if active == wanted && pointer.active == Some(wanted) {
            return Ok(wanted);
        }
        if active != wanted && !pointer.earlier.contains(&wanted) {
            let (_, saved) = Journal::open(documents, model.collection()).await?;
            if !saved.is_some_and(|saved| saved.is_complete()) {
                let name = self.name;
                let message = format!(
                    "revision {wanted} of {name} is not complete: replay {name} until all of it \
                     is handled, and then switch"
                );
                return Err(Error::new(ErrorKind::Conflict, message));
            }
        }
        let mut earlier = pointer.earlier;
        if active != wanted && !earlier.contains(&active) {
            earlier.push(active);
        }
        let pointer = Pointer { active: Some(wanted), earlier };
        revisions::point(documents, self.name, &pointer, document).await?;
        Ok(wanted)
    }
}
