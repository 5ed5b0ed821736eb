//! The order app on Azure: started by the Functions host, all functions of the function app;
//! started by Container Apps, the same as one program; started by an operator, the same commands as
//! everywhere, on the containers of the account.

use std::process::ExitCode;

use skyfold_azure::{Azure, host};
use skyfold_cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    if host::is_called() {
        return host::run(order::app()).await;
    }
    match Azure::from_environment().await {
        Ok(azure) => {
            Cli::new(order::app(), azure.ports())
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
