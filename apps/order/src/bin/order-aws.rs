//! The order app on AWS: started by Lambda, the function that `SKYFOLD_FUNCTION` names; started by
//! an operator, the same commands as everywhere, on the tables of the account.

use std::process::ExitCode;

use skyfold_aws::{Aws, host};
use skyfold_cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    if host::is_called() {
        return host::run(order::app()).await;
    }
    match Aws::from_environment().await {
        Ok(aws) => {
            Cli::new(order::app(), aws.ports())
                .schemas(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
                .command("import", order::import::import)
                .run()
                .await
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
