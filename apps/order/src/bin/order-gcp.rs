//! The order app on Google Cloud: started by Cloud Run, the function that `SKYFOLD_FUNCTION` names;
//! started by an operator, the same commands as everywhere, on the databases of the project.

use std::process::ExitCode;

use skyfold_cli::Cli;
use skyfold_gcp::{Gcp, host};

#[tokio::main]
async fn main() -> ExitCode {
    if host::is_called() {
        return host::run(order::app()).await;
    }
    match Gcp::from_environment().await {
        Ok(gcp) => {
            Cli::new(order::app(), gcp.ports())
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
