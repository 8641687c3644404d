//! `cargo xtask bench`: the workflow on generated programs of growing size, timed step by step.
//!
//! The agents are two machines, but run one after the other here, so that each has the whole machine to itself.
//! Time is never a reason to fail; a wrong result is.

mod front;
mod generate;
mod measure;
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
pub(crate) const OPTIONS: [&str; 5] = ["--procedures", "--runs", "--json", "--sizes", "--store"];
/// The flag that asks for the other part: each verb, by the size of the repository.
pub(crate) const SCALE: &str = "--scale";

/// Measures all sizes, prints the tables and writes the file that was asked for.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let is_scale = options.has(SCALE);
    let foreign: &[&str] = if is_scale { &["--procedures"] } else { &["--sizes", "--store"] };
    if let Some(option) = foreign.iter().find(|option| options.has(option)) {
        return Err(format!("{option} does not go with{} {SCALE}", if is_scale { "" } else { "out" }));
    }
    if is_scale { scale::run(options) } else { workflow(options) }
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
