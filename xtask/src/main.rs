//! `cargo xtask …`: the project's own chores.
//!
//! `build` makes the executable to install, `demo` performs the distributed build of the sample, `bench` measures it on
//! large programs, `torture` kills and starves every verb, and `diagrams` draws the pictures of `docs/workflow.md`, and
//! `order` says which code lies together. None of them links with `toy`: they run it as a user would.

mod bench;
mod build;
mod demo;
mod diagrams;
mod draw;
mod files;
mod options;
mod order;
mod text;
mod torture;

use std::process::ExitCode;

use options::Options;

/// What goes wrong is told in a sentence: nobody but a person handles an error of a chore.
type Result<T, E = String> = std::result::Result<T, E>;

const HELP: &str = "\
The project's own chores.

Usage: cargo xtask <CHORE> [OPTIONS]

Chores:
  build      make the executable to install, on Linux without shared libraries, and say where it is
  demo       build the sample with two agents and a host, and check all that is promised
               --out DIR            where everything goes (default: target/demo; emptied first)
  bench      time the same workflow on generated programs of growing size
               --procedures N,N,…   the sizes (default: 100,1000,10000)
               --runs N             runs of each size (default: 3)
               --json FILE          also write the measurements to a file
               --scale              instead, each verb on repositories of growing size, beside ccache, cp and mold
               --sizes N,N,…        with --scale: fragments (default: 1000,10000,100000,1000000)
               --store NAME         with --scale: yaml, database or both (default: both)
               --peers              instead, the programs of benches/peers in Toy and in other interpreters
               --programs NAME,…    with --peers: only these (default: all)
  torture    kill each verb, and let its disk be full or broken, at every call that changes something
               --store NAME         yaml or both (default: both)
               --verb V,V,…         only these verbs; `race` is two of them at once, `processes` many
               --budget SECONDS     stop then; the points visited are spread evenly (default: visit all)
  diagrams   draw docs/images/step*.svg anew
  order      note in xtask/start.ld which code a start needs; it takes valgrind
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
        "build" => Options::parse(arguments, &[]).and_then(|_| build::run()),
        "demo" => demo::run(&Options::parse(arguments, &["--out"])?),
        "bench" => bench::run(&Options::parse_with_flags(arguments, &bench::OPTIONS, &bench::FLAGS)?),
        "torture" => torture::run(&Options::parse(arguments, &["--store", "--verb", "--budget"])?),
        "diagrams" => Options::parse(arguments, &[]).and_then(|_| diagrams::run()),
        "order" => Options::parse(arguments, &[]).and_then(|_| order::run()),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(format!("there is no chore `{other}`; `cargo xtask help` lists them")),
    }
}
