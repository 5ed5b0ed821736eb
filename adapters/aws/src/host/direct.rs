use serde::Deserialize;
use serde_json::Value;
use skyfold::{CommandRequest, Reply, Runtime, Trigger};

use super::failure::Failure;

/// A command that somebody gives by calling the function, as a state machine does: the receipt is
/// the answer, and a refusal is the failure `Skyfold.refused`. Whoever has the right to call the
/// function is of the app, and may give the commands that are internal to it as well.
#[derive(Debug, Deserialize)]
pub(crate) struct Direct {
    /// The category whose function takes it.
    category: String,
    /// The command.
    request: CommandRequest,
}

impl Direct {
    /// Gives the command.
    pub(crate) async fn run(self, runtime: &Runtime) -> Result<Value, Failure> {
        let Self { category, request } = self;
        match runtime.invoke(&category, Trigger::Command(request)).await? {
            Reply::Accepted(receipt) => serde_json::to_value(receipt)
                .map_err(|error| Failure::invalid(format!("the receipt has no JSON: {error}"))),
            Reply::Refused(reason) => Err(Failure::refused(reason)),
            reply => Err(Failure::invalid(format!("{category} answers a command by {reply:?}"))),
        }
    }
}
