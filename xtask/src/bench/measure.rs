//! One command, measured: time, peak memory, and what it reported.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::Result;

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// From the start to the end, as a clock on the wall sees it.
    pub(super) time: Duration,
    /// What the processors worked for it, in the program and in the system.
    pub(super) cpu: Duration,
    /// The largest resident set in bytes. The system also counts the moment before the program was loaded, so
    /// this is never below the few megabytes of the bench itself.
    pub(super) peak: u64,
}

/// Runs `toy` in a directory, and returns what it took and printed.
pub(super) fn run(toy: &Path, directory: &Path, arguments: &[&str]) -> Result<(Cost, String)> {
    let mut command = Command::new(toy);
    command.args(arguments).current_dir(directory).env_remove("TOY_REPOSITORY");
    let line = || format!("toy {} …", arguments.iter().take(4).copied().collect::<Vec<_>>().join(" "));
    measure(&mut command).map_err(|problem| format!("{}: {problem}", line()))
}

/// Runs a command, and returns what it took and printed; the error does not name it.
pub(super) fn measure(command: &mut Command) -> Result<(Cost, String)> {
    let failed = |error: std::io::Error| error.to_string();
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut output = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut output).map_err(failed)?;
    }
    let end = child.wait4().map_err(failed)?;
    let (time, used) = (start.elapsed(), end.rusage);
    if end.status.success() {
        Ok((Cost { time, cpu: used.utime + used.stime, peak: used.maxrss }, output))
    } else {
        Err(end.status.to_string())
    }
}
