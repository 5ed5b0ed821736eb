use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde::Deserialize;
use skyfold::{Error, ErrorKind, Result};

use super::{Form, Program, unusable};

/// What the program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Processor {
    /// 64-bit ARM, the cheaper one on Lambda
    Arm64,
    /// 64-bit x86
    X86_64,
    /// That of this machine, on the libraries of this machine: for an emulator on it
    Host,
}

/// How the program is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Small and fast, and slow to build
    #[default]
    Release,
    /// As tests build it
    Dev,
}

/// What cargo-lambda calls every program that it builds.
const CARGO_LAMBDA_ENTRY: &str = "bootstrap";

/// What to build for, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build {
    /// For what; the cloud's own choice if nobody says.
    pub(crate) processor: Option<Processor>,
    pub(crate) profile: Profile,
}

/// What builds the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Builder {
    /// `cargo lambda build`, which brings a linker for the processor and an old enough libc.
    CargoLambda,
    /// `cargo build` for a target that is installed.
    Target(&'static str),
    /// `cargo build` for this machine.
    Host,
}

/// As much of what cargo says of a built artifact as tells where its program is.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

impl Processor {
    /// What rustc calls it, with everything linked in: nothing depends on the cloud's libraries.
    fn target(self) -> Option<&'static str> {
        match self {
            Self::Arm64 => Some("aarch64-unknown-linux-musl"),
            Self::X86_64 => Some("x86_64-unknown-linux-musl"),
            Self::Host => None,
        }
    }
}

impl Form {
    /// What a cloud that wants this runs it on, if nobody says: Lambda is cheaper on ARM, which
    /// Azure Functions and Cloud Run do not have ("Container runtime contract").
    fn processor(self) -> Processor {
        match self {
            Self::Zip { .. } => Processor::Arm64,
            Self::AzureFunctions { .. } | Self::Image { .. } => Processor::X86_64,
        }
    }
}

impl Build {
    /// Builds `program`, and returns where it is: in `folder`, if the builder is to be told.
    pub(crate) fn run(self, program: &Program, folder: &Path) -> Result<PathBuf> {
        let processor = self.processor.unwrap_or(program.form.processor());
        // What it builds rests on the libraries of a system, which an image does not have.
        let cargo_lambda = match program.form {
            Form::Zip { .. } | Form::AzureFunctions { .. } => {
                says("cargo", &["lambda", "--version"])
            }
            Form::Image { .. } => None,
        };
        let installed = || says("rustup", &["target", "list", "--installed"]);
        let builder = builder(processor, cargo_lambda, installed)?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        // What a cargo that runs this has set, and what would have build scripts run again.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_run(name)) {
            command.env_remove(name);
        }
        command.args(self.arguments(builder, processor, program)).current_dir(&program.folder);
        let folder = std::path::absolute(folder).map_err(|error| unusable(folder, error))?;
        match builder {
            Builder::CargoLambda => command.arg("--lambda-dir").arg(&folder),
            _ => command.args(["--message-format", "json-render-diagnostics"]),
        };
        // What it says on the way is for people; the artifacts are told on standard output.
        let output = command.stderr(Stdio::inherit()).output().map_err(|error| {
            Error::new(ErrorKind::Unexpected, "cargo cannot be started").with_source(error)
        })?;
        if !output.status.success() {
            let message = format!("{} could not be built: see above", program.binary);
            return Err(Error::new(ErrorKind::Unexpected, message));
        }
        if builder == Builder::CargoLambda {
            return Ok(folder.join(program.binary).join(CARGO_LAMBDA_ENTRY));
        }
        built(&output.stdout, program.binary).ok_or_else(|| {
            let message = format!("cargo does not say where it has put {}", program.binary);
            Error::new(ErrorKind::Unexpected, message)
        })
    }

    fn arguments(self, builder: Builder, processor: Processor, program: &Program) -> Vec<String> {
        let mut arguments: Vec<&str> = match builder {
            Builder::CargoLambda => vec!["lambda", "build"],
            Builder::Target(_) | Builder::Host => vec!["build"],
        };
        match (builder, processor) {
            (Builder::CargoLambda, Processor::Arm64) => arguments.push("--arm64"),
            (Builder::CargoLambda, _) => arguments.push("--x86-64"),
            (Builder::Target(target), _) => arguments.extend(["--target", target]),
            (Builder::Host, _) => {}
        }
        if self.profile == Profile::Release {
            arguments.push("--release");
        }
        arguments.extend(["--bin", program.binary, "--features", program.features]);
        arguments.into_iter().map(str::to_owned).collect()
    }
}

/// Whether cargo sets `name` for what it runs, about the package that it runs.
fn is_of_this_run(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// What builds for `processor`, where `cargo lambda` is, or where these targets are `installed`.
fn builder(
    processor: Processor,
    cargo_lambda: Option<String>,
    installed: impl FnOnce() -> Option<String>,
) -> Result<Builder> {
    let Some(target) = processor.target() else { return Ok(Builder::Host) };
    if cargo_lambda.is_some() {
        return Ok(Builder::CargoLambda);
    }
    let installed = installed().unwrap_or_default();
    if installed.lines().any(|line| line.trim() == target) {
        return Ok(Builder::Target(target));
    }
    let message = format!(
        "nothing here builds for {target}: install cargo-lambda, which brings what it takes, with \
         `pip install cargo-lambda`, or the target, with `rustup target add {target}` and a linker \
         for it; or build for this machine alone, with `--processor host`"
    );
    Err(Error::new(ErrorKind::Invalid, message))
}

/// What `program` says, if it is there and content with `arguments`.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where the program `binary` is, by what cargo has said.
fn built(said: &[u8], binary: &str) -> Option<PathBuf> {
    let said = String::from_utf8_lossy(said);
    let artifacts = said.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let is_it = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == binary);
    artifacts.filter_map(|artifact| artifact.executable).find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = "aarch64-unknown-linux-musl";

    #[test]
    fn what_is_missing_is_said_with_the_line_that_installs_it() {
        let error = builder(Processor::Arm64, None, || Some("x86_64-unknown-linux-gnu\n".into()));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for line in ["pip install cargo-lambda", "rustup target add aarch64-unknown-linux-musl"] {
            assert!(error.message().contains(line), "{error}");
        }
        assert!(builder(Processor::X86_64, None, || None).is_err());
    }

    #[test]
    fn cargo_lambda_comes_before_an_installed_target() {
        let installed = || Some(format!("{ARM}\nx86_64-unknown-linux-gnu\n"));
        let arm = |lambda: Option<String>| builder(Processor::Arm64, lambda, installed).unwrap();
        assert_eq!(arm(Some("cargo-lambda 1.9.2".into())), Builder::CargoLambda);
        assert_eq!(arm(None), Builder::Target(ARM));
        assert_eq!(builder(Processor::Host, None, || None).unwrap(), Builder::Host);
    }

    #[test]
    fn the_program_is_where_cargo_says() {
        let said = br#"{"reason":"compiler-artifact","executable":null}
            {"reason":"compiler-artifact","executable":"/t/debug/order"}
            {"reason":"compiler-artifact","executable":"/t/debug/order-aws"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(built(said, "order-aws"), Some(PathBuf::from("/t/debug/order-aws")));
        assert_eq!(built(said, "other"), None);
    }
}
