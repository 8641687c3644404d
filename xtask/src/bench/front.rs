//! The front end: lexing, parsing and digesting, timed inside one process by `benches/front.rs`.

use crate::{Result, build};

use super::generate::Program;

/// The seconds that lexing, parsing and digesting 100 MB of generated source take.
pub(super) fn seconds_for_100_megabytes(procedures: usize) -> Result<f64> {
    let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let program = Program::original(procedures);
    program.write(directory.path(), &program.names())?;
    let mut command = build::cargo();
    command.args(["bench", "--quiet", "--package", "toy", "--bench", "front", "--"]);
    let output =
        command.arg(directory.path()).output().map_err(|error| format!("cannot start cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let seconds = text.lines().find_map(|line| line.trim().parse().ok());
    seconds.filter(|_| output.status.success()).ok_or_else(|| "the front end's bench failed".into())
}
