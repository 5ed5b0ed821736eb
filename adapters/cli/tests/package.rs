//! What is handed to a cloud. That a program is built and packed, an emulator shows.

mod common;

use common::{cli, run, run_on};
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

#[tokio::test]
async fn a_program_that_cannot_be_built_leaves_nothing_behind() {
    let folder = std::env::temp_dir().join(format!("skyfold-package-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
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
