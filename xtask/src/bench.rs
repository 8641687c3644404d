//! `cargo xtask bench`: the workflow on generated programs of growing size, timed step by step.
//!
//! Other parts measure each verb by the size of the repository, and the machine beside other interpreters.
//! The agents are two machines, but run one after the other here, so that each has the whole machine to itself.
//! Time is never a reason to fail; a wrong result is.

mod front;
mod generate;
mod measure;
mod peers;
mod scale;
mod summary;
mod table;
mod workflow;

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::build::{self, Profile};
use crate::options::Options;
use crate::{Result, files};

use generate::Program;
use summary::{Size, Summary};

/// The options that have a value.
pub(crate) const OPTIONS: [&str; 6] =
    ["--procedures", "--runs", "--json", "--sizes", "--store", "--programs"];
/// The flags that ask for another part.
pub(crate) const FLAGS: [&str; 2] = ["--scale", "--peers"];

/// What can be measured: its flag, or none for the workflow, the options that are its own, and how.
struct Part {
    flag: &'static str,
    own: &'static [&'static str],
    measure: fn(&Options) -> Result<ExitCode>,
}

const WORKFLOW: Part = Part { flag: "", own: &["--procedures"], measure: workflow };
const SCALE: Part = Part { flag: FLAGS[0], own: &["--sizes", "--store"], measure: scale::run };
const PEERS: Part = Part { flag: FLAGS[1], own: &["--programs"], measure: peers::run };

/// Measures one part, prints the tables and writes the file that was asked for.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let wanted = [SCALE, PEERS].into_iter().find(|part| options.has(part.flag)).unwrap_or(WORKFLOW);
    for other in [WORKFLOW, SCALE, PEERS].iter().filter(|part| part.flag != wanted.flag) {
        if let Some(option) = other.own.iter().chain([&other.flag]).find(|option| options.has(option)) {
            let part = if wanted.flag.is_empty() { "the workflow" } else { wanted.flag };
            return Err(format!("{option} does not go with {part}"));
        }
    }
    (wanted.measure)(options)
}

/// The distributed build, step by step.
fn workflow(options: &Options) -> Result<ExitCode> {
    let sizes = options.numbers("--procedures", &[100, 1000, 10_000])?;
    let runs = options.number("--runs", 3)?;
    let toy = build::toy(Profile::Release)?;
    let mut measured = Vec::new();
    for &procedures in &sizes {
        eprintln!("measuring {procedures} procedures …");
        measured.push(size(&toy, procedures, runs)?);
    }
    eprintln!("measuring the front end …");
    let front = front::seconds_for_100_megabytes(sizes.iter().copied().max().unwrap_or(1000))?;
    let summary = Summary::new(runs, measured, front);
    print!("{}", table::render(&summary));
    write_json(options, &summary)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the measurements to the file that was asked for.
fn write_json(options: &Options, measured: &impl Serialize) -> Result<()> {
    let Some(path) = options.text("--json") else { return Ok(()) };
    let json =
        serde_json::to_string_pretty(measured).map_err(|error| format!("cannot write JSON: {error}"))?;
    files::write(Path::new(path), json + "\n")
}

/// Measures one size, several times.
fn size(toy: &Path, procedures: usize, runs: usize) -> Result<Size> {
    let shape = Program::shape(procedures);
    let samples = (0..runs).map(|_| workflow::run(toy, procedures)).collect::<Result<Vec<_>>>()?;
    Size::new(procedures, shape, &samples)
}
