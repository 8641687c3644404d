//! `cargo xtask …`: the project's own chores.
//!
//! `demo` performs the distributed build of the sample, and `diagrams` draws the pictures of `docs/workflow.md`.
//! Neither links with `toy`: they run it as a user would.

mod build;
mod demo;
mod diagrams;
mod draw;
mod files;
mod options;
mod text;

use std::process::ExitCode;

use options::Options;

/// What goes wrong is told in a sentence: nobody but a person handles an error of a chore.
type Result<T, E = String> = std::result::Result<T, E>;

const HELP: &str = "\
The project's own chores.

Usage: cargo xtask <CHORE> [OPTIONS]

Chores:
  demo       build the sample with two agents and a host, and check all that is promised
               --out DIR            where everything goes (default: target/demo; emptied first)
  diagrams   draw docs/images/step*.svg anew
  help       print this
";

fn main() -> ExitCode {
    match perform(std::env::args().skip(1)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn perform(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode> {
    let chore = arguments.next().unwrap_or_else(|| "help".into());
    match chore.as_str() {
        "demo" => demo::run(&Options::parse(arguments, &["--out"])?),
        "diagrams" => Options::parse(arguments, &[]).and_then(|_| diagrams::run()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(format!("there is no chore `{other}`; `cargo xtask help` lists them")),
    }
}
