//! `cargo xtask bench --peers`: the same programs in Toy and in other interpreters, by the CPU time they take.
//!
//! An interpreter that is not installed is left out. Time is never a reason to fail; a result that differs is.

mod figures;
mod programs;
mod runners;
mod table;

use std::process::ExitCode;

use crate::build::{self, Profile};
use crate::options::Options;
use crate::{Result, files};

use super::measure::{self, Cost};
use figures::{Peers, Row, Start};
use programs::Program;
use runners::Runner;

/// How often each interpreter says hello.
const STARTS: usize = 50;

/// Measures all programs, prints the tables, and writes the file that was asked for.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let runs = options.number("--runs", 3)?;
    let place = files::project_root().join("benches/peers");
    let programs = programs::chosen(&place, options.text("--programs"))?;
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let (runners, absent) = runners::all(&build::toy(Profile::Release)?, directory.path());
    eprintln!("measuring start-up …");
    let starts = starts(&programs::hello(&place), &runners)?;
    let mut rows = Vec::new();
    for program in &programs {
        eprintln!("measuring {} …", program.name);
        rows.push(row(program, &runners, runs)?);
    }
    let peers = Peers::new(runs, &runners, absent, starts, rows);
    print!("{}", table::render(&peers));
    super::write_json(options, &peers)?;
    Ok(ExitCode::SUCCESS)
}

/// Measures one program; the runners take turns.
fn row(program: &Program, runners: &[Runner], runs: usize) -> Result<Row> {
    let samples = rounds(program, runners, runs)?;
    let least = |costs: Vec<Cost>| costs.iter().map(|cost| cost.cpu.as_secs_f64()).reduce(f64::min);
    Ok(Row { program: program.name.clone(), seconds: samples.into_iter().map(least).collect() })
}

/// Measures what starting costs.
fn starts(hello: &Program, runners: &[Runner]) -> Result<Vec<Start>> {
    Ok(rounds(hello, runners, STARTS)?.iter().map(|costs| Start::new(costs)).collect())
}

/// What each runner took in each round; none for a runner that the program is not written for.
fn rounds(program: &Program, runners: &[Runner], rounds: usize) -> Result<Vec<Vec<Cost>>> {
    let mut commands = runners.iter().map(|runner| runner.prepare(program)).collect::<Result<Vec<_>>>()?;
    let mut costs = vec![Vec::new(); runners.len()];
    let mut expected: Option<(&str, String)> = None;
    for _ in 0..rounds {
        for ((runner, command), costs) in runners.iter().zip(&mut commands).zip(&mut costs) {
            let Some(command) = command else { continue };
            let place = || format!("{} in {}", program.name, runner.name);
            let (cost, output) =
                measure::measure(command).map_err(|problem| format!("{}: {problem}", place()))?;
            let (first, result) = expected.get_or_insert_with(|| (runner.name, output.clone()));
            if !programs::agree(result, &output) {
                return Err(format!("{}: it prints {output:?}, and {result:?} in {first}", place()));
            }
            costs.push(cost);
        }
    }
    Ok(costs)
}
