//! One process: how it ended and what it said, within a time limit.
//!
//! Deliberately absent: what the end means; `judge` knows that.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// A process that takes longer than this is blocked.
const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_micros(300);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Not at all, within the limit; it was killed then.
    Blocked,
}

/// A process that is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// How.
    pub(super) end: End,
    /// What it wrote to standard output.
    pub(super) output: String,
    /// What it wrote to standard error.
    pub(super) errors: String,
}

impl Ended {
    /// The standard output of a process that succeeded; of another one, an error that tells what it was.
    pub(super) fn success(self, what: &str) -> Result<String> {
        match self.end {
            End::Exit(0) => Ok(self.output),
            _ => Err(format!("`{what}` ended with {:?}:\n{}", self.end, self.errors.trim())),
        }
    }
}

/// Runs a command to its end.
pub(super) fn run(mut command: Command) -> Result<Ended> {
    let failed = |error: std::io::Error| format!("cannot run {:?}: {error}", command.get_program());
    // Files, not pipes: nobody needs to read them while the process runs.
    let (mut output, mut errors) =
        tempfile::tempfile().and_then(|output| Ok((output, tempfile::tempfile()?))).map_err(failed)?;
    let streams = output.try_clone().and_then(|output| Ok((output, errors.try_clone()?))).map_err(failed)?;
    let program = command.get_program().to_owned();
    group(command.stdin(Stdio::null()).stdout(streams.0).stderr(streams.1));
    let failed = |error: std::io::Error| format!("cannot run {}: {error}", program.display());
    let mut child = command.spawn().map_err(failed)?;
    let end = wait(&mut child).map_err(failed)?;
    let read = |file: &mut File| text(file).map_err(failed);
    Ok(Ended { end, output: read(&mut output)?, errors: read(&mut errors)? })
}

fn wait(child: &mut Child) -> std::io::Result<End> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(end(status));
        }
        if start.elapsed() > LIMIT {
            kill_group(child);
            child.kill()?;
            child.wait()?;
            return Ok(End::Blocked);
        }
        std::thread::sleep(PAUSE);
    }
}

fn text(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A group of its own, so that what a tracer started can be ended with it.
fn group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

fn kill_group(child: &Child) {
    // The process itself is killed in any case.
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
}

fn end(status: ExitStatus) -> End {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Signal(signal);
    }
    End::Exit(status.code().unwrap_or(-1))
}
