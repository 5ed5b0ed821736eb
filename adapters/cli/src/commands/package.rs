use std::path::Path;

use skyfold::{Error, ErrorKind, Result};

use crate::arguments::Package;
use crate::package::{Build, Packed, Program, Source, package as pack};
use crate::{Context, Exit};

/// Builds the program for a cloud, unless it is built already, and writes what Terraform reads: its
/// archive and the manifest.
pub(crate) async fn package(
    context: &Context,
    arguments: Package,
    programs: Vec<Program>,
) -> Result<Exit> {
    let Package { target, processor, profile, program: built, to } = arguments;
    let program = programs.iter().find(|program| program.target == target).cloned();
    let program = program.ok_or_else(|| unknown(&target, &programs))?;
    let folder = to.unwrap_or_else(|| Path::new("target/package").join(&target));
    let manifest = context.client().manifest().clone();
    let source = match built {
        Some(file) => Source::Built(file),
        None => Source::Build(Build { processor, profile }),
    };
    let packing = move || pack(&program, source, &manifest, &folder);
    let packed = tokio::task::spawn_blocking(packing).await.map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the packing was interrupted").with_source(error)
    })??;
    let output = context.output();
    output.json(&packed)?;
    let Packed { package, package_bytes, program_bytes, manifest } = &packed;
    let (package, manifest) = (package.display(), manifest.display());
    output.say(format_args!(
        "written: {package}, {package_bytes} bytes, with a program of {program_bytes}"
    ))?;
    output.say(format_args!("written: {manifest}"))?;
    Ok(Exit::Done)
}

fn unknown(target: &str, programs: &[Program]) -> Error {
    let known: Vec<_> = programs.iter().map(|program| program.target).collect();
    let message = match known.is_empty() {
        true => "this app has a program for no cloud".to_owned(),
        false => format!("there is no program for {target:?}, but for {}", known.join(", ")),
    };
    Error::new(ErrorKind::Invalid, message)
}
