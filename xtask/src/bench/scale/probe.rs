//! One command, watched from outside: its time, what it read and wrote, and its memory.
//!
//! The figures are the system's own, from `/proc`; where there is none, only the time is known.

use std::fs;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Result;

/// What a command used.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Use {
    /// From the start to the end, in seconds, as a clock on the wall sees it.
    pub(super) seconds: f64,
    /// Bytes that passed through system calls that read; nothing that was read by way of mapped pages.
    pub(super) read: Option<u64>,
    /// Bytes that passed through system calls that write.
    pub(super) written: Option<u64>,
    /// The most memory of its own in any sample, in bytes.
    pub(super) anonymous: Option<u64>,
    /// The most mapped pages of files in any sample, in bytes.
    pub(super) mapped: Option<u64>,
}

/// Time between two samples of the memory.
const PAUSE: Duration = Duration::from_millis(1);

/// Runs a command to its end, and returns what it used and printed.
pub(super) fn run(command: &mut Command) -> Result<(Use, String)> {
    command.stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = spawn(command)?;
    let (watched, ended, output) = thread::scope(|scope| {
        let stdout = child.stdout.take();
        // Standard output ends after the memory is gone: nothing of what a command does comes later.
        let reader = scope.spawn(move || read(stdout).map(|text| (Instant::now(), text)));
        let watched = watch(&child);
        match reader.join() {
            Ok(Ok((end, text))) => Ok((watched, end, text)),
            _ => Err(format!("{command:?}: its output cannot be read")),
        }
    })?;
    finish(command, &mut child)?;
    Ok((Use { seconds: (ended - start).as_secs_f64(), ..watched }, output))
}

/// Runs a command to its end unwatched and unheard, and returns the seconds that it took. What takes a millisecond would
/// else be measured together with who waits for it to say something.
pub(super) fn time(command: &mut Command) -> Result<f64> {
    command.stdout(Stdio::null());
    let start = Instant::now();
    let mut child = spawn(command)?;
    finish(command, &mut child)?;
    Ok(start.elapsed().as_secs_f64())
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).spawn().map_err(|error| format!("{command:?}: {error}"))
}

fn read(stdout: Option<impl Read>) -> io::Result<String> {
    stdout.map_or_else(|| Ok(String::new()), io::read_to_string)
}

fn finish(command: &Command, child: &mut Child) -> Result<()> {
    let status = child.wait().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}")) }
}

/// Takes samples until the process has ended; it stays to be asked until somebody waits for it.
fn watch(child: &Child) -> Use {
    let mut found = Use { seconds: 0.0, read: None, written: None, anonymous: None, mapped: None };
    let text = |name| fs::read_to_string(format!("/proc/{}/{name}", child.id()));
    while let Ok(status) = text("status") {
        found.anonymous = found.anonymous.max(kilobytes(&status, "RssAnon:"));
        found.mapped = found.mapped.max(kilobytes(&status, "RssFile:"));
        if field(&status, "State:").is_none_or(|state| state.starts_with('Z')) {
            break;
        }
        thread::sleep(PAUSE);
    }
    if let Ok(io) = text("io") {
        [found.read, found.written] = ["rchar:", "wchar:"].map(|name| field(&io, name)?.parse().ok());
    }
    found
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    field(status, name)?.trim_end_matches(" kB").parse::<u64>().ok().map(|size| size * 1024)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let status = "Name:\ttoy\nState:\tZ (zombie)\nRssAnon:\t     1234 kB\n";
        assert_eq!(field(status, "State:"), Some("Z (zombie)"));
        assert_eq!(kilobytes(status, "RssAnon:"), Some(1234 * 1024));
        assert_eq!(kilobytes(status, "RssFile:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn bytes_that_were_written_are_counted_after_the_end() {
        let (used, output) = run(Command::new("head").args(["-c", "70000", "/dev/zero"])).unwrap();
        assert_eq!(output.len(), 70_000);
        assert_eq!(used.written, Some(70_000));
        assert!(used.read >= Some(70_000));
    }
}
