//! What is handed to a cloud. That a program is built and packed, an emulator shows.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::path::{Path, PathBuf};

use common::{Ran, cli, run, run_on};
use skyfold_cli::{Console, Exit, Form, Program};
use skyfold_memory::Memory;

fn program(folder: &str) -> Program {
    let (target, binary, features) = ("nimbus", "nothing", "nimbus");
    Program { target, folder: folder.into(), binary, features, form: Form::Zip { entry: "start" } }
}

#[tokio::test]
async fn a_cloud_that_the_app_has_no_program_for_is_said_with_those_that_it_has() {
    let memory = Memory::new();
    let ran = run(&memory, "package --target aws").await;
    assert_eq!(ran.exit, Exit::Usage);
    assert_eq!(ran.err, "error: this app has a program for no cloud\n");

    let (console, captured) = Console::captured();
    let cli = cli(&memory).program(program("."));
    let ran = run_on(cli, &["package", "--target", "aws"], console, &captured).await;
    assert_eq!(ran.err, "error: there is no program for \"aws\", but for nimbus\n");
}

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let name = format!("skyfold-package-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What becomes of packing the program that `file` of `folder` has.
async fn pack(folder: &Path, file: &str, more: &[&str]) -> Ran {
    let (console, captured) = Console::captured();
    let cli = cli(&Memory::new()).program(program("."));
    let (file, to) = (folder.join(file), folder.join("packed"));
    let words = ["package", "--target", "nimbus", "--program", file.to_str().unwrap(), "--to"];
    let words = words.into_iter().chain([to.to_str().unwrap()]).chain(more.iter().copied());
    run_on(cli, &words.collect::<Vec<_>>(), console, &captured).await
}

#[tokio::test]
async fn a_program_that_is_built_is_packed_as_it_is() {
    let folder = folder("built");
    std::fs::write(folder.join("made"), "what somebody built").unwrap();
    let ran = pack(&folder, "made", &[]).await;
    assert_eq!(ran.exit, Exit::Done, "{ran:?}");
    assert!(ran.out.contains("with a program of 19\n"), "{ran:?}");
    let archive = std::fs::File::open(folder.join("packed/package.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let packed = std::io::read_to_string(archive.by_name("start").unwrap()).unwrap();
    assert_eq!(packed, "what somebody built");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_program_that_is_built_must_be_there_and_is_not_built_for_a_processor() {
    let folder = folder("absent");
    let ran = pack(&folder, "absent", &[]).await;
    assert_ne!(ran.exit, Exit::Done);
    assert!(ran.err.contains("absent cannot be used"), "{ran:?}");
    assert!(!folder.join("packed").exists());
    let ran = pack(&folder, "absent", &["--processor", "host"]).await;
    assert_eq!(ran.exit, Exit::Usage);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_program_that_cannot_be_built_leaves_nothing_behind() {
    let folder = folder("nothing");
    let (console, captured) = Console::captured();
    let cli = cli(&Memory::new()).program(program(folder.to_str().unwrap()));
    let to = folder.join("packed");
    let words = ["package", "--target", "nimbus", "--processor", "host", "--to"];
    let words: Vec<_> = words.into_iter().chain([to.to_str().unwrap()]).collect();
    let ran = run_on(cli, &words, console, &captured).await;
    assert_ne!(ran.exit, Exit::Done);
    assert!(ran.err.contains("nothing could not be built: see above"), "{ran:?}");
    assert!(!to.exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
