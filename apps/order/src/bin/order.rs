//! The order app in one process, without any cloud. `order --help` tells what it can do.

use std::process::ExitCode;

use skyfold_cli::{Cli, Form, Program};
use skyfold_memory::Memory;

/// What to try first, once the app is served.
const TRY: [&str; 3] = [
    "curl '{url}/show-order?order=1000'",
    "curl '{url}/order-history?customer=ada'",
    "curl -X POST {url}/order/1000/ship",
];

#[tokio::main]
async fn main() -> ExitCode {
    let memory = Memory::new();
    let (work, rest) = (memory.clone(), memory.clone());
    Cli::new(order::app(), memory.ports())
        .ephemeral()
        .background(move |runtime| async move { work.run(runtime).await })
        .settle(move |runtime| {
            let rest = rest.clone();
            async move { rest.settle(&runtime).await }
        })
        .on_start(order::sample::place)
        .try_lines(TRY)
        .schemas(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
        .program(Program {
            target: "aws",
            folder: env!("CARGO_MANIFEST_DIR").into(),
            binary: "order-aws",
            features: "aws",
            form: Form::Zip { entry: "bootstrap" },
        })
        .program(Program {
            target: "azure",
            folder: env!("CARGO_MANIFEST_DIR").into(),
            binary: "order-azure",
            features: "azure",
            form: Form::AzureFunctions { entry: "order-azure" },
        })
        .program(Program {
            target: "gcp",
            folder: env!("CARGO_MANIFEST_DIR").into(),
            binary: "order-gcp",
            features: "gcp",
            form: Form::Image { recipe: include_str!("../../../../deploy/gcp/Containerfile") },
        })
        .command("import", order::import::import)
        .run()
        .await
}
