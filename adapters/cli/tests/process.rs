//! What only a process of its own can show: signals, a closed pipe, and the log. This program is
//! both the test and the app that it tests.

#![allow(clippy::unwrap_used, reason = "what tests share is tested code as well")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use skyfold_memory::Memory;

/// Set where this program is to be the app.
const AS_APP: &str = "SKYFOLD_CLI_TEST_AS_APP";

fn main() -> ExitCode {
    if std::env::var_os(AS_APP).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(async { common::cli(&Memory::new()).run().await });
    }
    let trials = vec![
        Trial::test("a_signal_stops_the_server", || stops("TERM")),
        Trial::test("an_interrupt_stops_the_server", || stops("INT")),
        Trial::test("a_closed_pipe_is_no_panic", closed_pipe),
        Trial::test("the_exit_code_is_that_of_the_process", exit_codes),
        Trial::test("the_log_goes_to_the_error_stream", log),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn app(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(words).env(AS_APP, "1").env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the process still has to say, and its exit code.
fn ended(mut child: Child) -> (Option<i32>, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut out).unwrap();
    }
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), out, err)
}

fn stops(signal: &str) -> Result<(), Failed> {
    let mut child = app(&["--port", "0"]).spawn()?;
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("health") {
        line.clear();
        assert!(out.read_line(&mut line)? > 0, "it has ended");
    }
    let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status()?;
    assert!(kill.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest)?;
    let (code, _, err) = ended(child);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(rest.ends_with("stopped\n"), "{rest:?}");
    Ok(())
}

fn closed_pipe() -> Result<(), Failed> {
    for words in [&["manifest"][..], &["--help"], &["health", "-q"]] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let (code, _, err) = ended(app(words).stdout(writer).spawn()?);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{words:?}");
    }
    Ok(())
}

fn exit_codes() -> Result<(), Failed> {
    for (words, expected) in
        [(&["health"][..], 0), (&["view", "totals", "1"], 1), (&["frobnicate"], 2)]
    {
        let (code, ..) = ended(app(words).spawn()?);
        assert_eq!(code, Some(expected), "{words:?}");
    }
    Ok(())
}

fn log() -> Result<(), Failed> {
    let send = ["send", "tally", "1", "write-off", "--json"];
    let (_, out, err) = ended(app(&send).spawn()?);
    assert_eq!((out.lines().count(), err.as_str()), (1, ""));
    let (_, out, err) = ended(app(&[&send[..], &["-vv"]].concat()).env("RUST_LOG", "off").spawn()?);
    assert_eq!((out.lines().count(), err.as_str()), (1, ""), "RUST_LOG has the last word");
    let refused = ["view", "totals", "1", "-q", "-vv"];
    let (code, ..) = ended(app(&refused).spawn()?);
    assert_eq!(code, Some(2));
    let (_, out, err) = ended(app(&["view", "totals", "1", "-vv"]).spawn()?);
    assert_eq!(out, "");
    assert!(err.contains("DEBUG invoke{") && err.contains("failed"), "{err}");
    Ok(())
}
