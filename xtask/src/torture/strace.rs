//! strace: which calls of the system a command makes, and the same command with one of them disturbed.
//!
//! strace counts the calls of each thread for itself, and disturbs whichever thread is the first to make its n-th.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::{Result, files};

use super::process::{self, End, Ended};
use super::site::Site;

/// Calls that change something outside of the process, or make it last. One that the machine lacks is passed over.
const CALLS: &[&str] = &[
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "copy_file_range",
    "sendfile",
    "openat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlinkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "truncate",
    "ftruncate",
    "fallocate",
    "fchmod",
    "fsync",
    "flock",
    "fdatasync",
    "sync_file_range",
    "msync",
];

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// The process is killed before it.
    Kill,
    /// It fails with this error.
    Once(&'static str),
    /// It and all later ones of its kind fail with this error.
    FromThere(&'static str),
    /// It takes long.
    Delay,
}

/// How long a call takes that takes long, in microseconds.
const DELAY: usize = 300_000;

/// All that can go wrong.
pub(super) const FAULTS: [Fault; 5] = [
    Fault::Kill,
    Fault::Once("ENOSPC"),
    Fault::FromThere("ENOSPC"),
    Fault::Once("EIO"),
    Fault::FromThere("EIO"),
];

/// The n-th call of a kind, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    /// The call's name.
    pub(super) name: &'static str,
    /// Which of those that a thread makes.
    pub(super) ordinal: usize,
}

/// A call and what happens there, as strace wants to be told.
pub(super) struct Injection(pub(super) Call, pub(super) Fault);

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { name, ordinal } = self.0;
        match self.1 {
            Fault::Kill => write!(f, "inject={name}:signal=KILL:when={ordinal}"),
            Fault::Delay => write!(f, "inject={name}:delay_enter={DELAY}:when={ordinal}"),
            Fault::Once(error) => write!(f, "inject={name}:error={error}:when={ordinal}"),
            Fault::FromThere(error) => write!(f, "inject={name}:error={error}:when={ordinal}+"),
        }
    }
}

/// Makes sure that strace is there and may trace.
pub(super) fn require() -> Result<()> {
    let mut command = Command::new("strace");
    command.args(["-f", "-e", "trace=none", "true"]);
    let advice = "the torture needs Linux and strace (`apt-get install strace`)";
    process::run(command).map_err(|error| format!("{advice}: {error}"))?.success("strace true").map(drop)
}

/// The calls that a command makes in its own files, and how many more are hidden behind calls of other threads.
pub(super) fn calls(site: &Site, words: &[String], log: &Path) -> Result<(Vec<Call>, usize)> {
    let wanted: Vec<_> = CALLS.iter().map(|name| format!("?{name}")).collect();
    let mut command = site.traced(log);
    command.args(["-y", "-e", &format!("trace={}", wanted.join(","))]).arg(site.toy_path()).args(words);
    process::run(command)?.success(&words.join(" "))?;
    Ok(reachable(&files::read_text(log)?, &site.directory().display().to_string()))
}

/// Runs a command with one call disturbed, and returns how it ended and the line of strace's log that tells of it.
/// There is no such line if the call was never made.
pub(super) fn disturb(
    site: &Site,
    words: &[String],
    injection: &Injection,
    log: &Path,
) -> Result<(Ended, Option<String>)> {
    let mut command = site.traced(log);
    command.args(arguments(injection)).arg(site.toy_path()).args(words);
    let ended = process::run(command)?;
    let text = files::read_text(log)?;
    let hit = match injection.1 {
        Fault::Kill if ended.end != End::Signal(9) => None,
        Fault::Kill => text.lines().rfind(|line| line.contains(injection.0.name)),
        _ => text.lines().find(|line| line.ends_with("(INJECTED)") || line.ends_with("(DELAYED)")),
    };
    Ok((ended, hit.map(str::to_owned)))
}

/// strace's arguments for an injection.
pub(super) fn arguments(injection: &Injection) -> [String; 4] {
    ["-e".into(), format!("trace={}", injection.0.name), "-e".into(), injection.to_string()]
}

/// The calls of a log that can be disturbed, and how many cannot be.
fn reachable(log: &str, directory: &str) -> (Vec<Call>, usize) {
    let mut first_thread = None;
    let mut made = BTreeMap::<(&str, Call), bool>::new();
    let mut ordinals = BTreeMap::<(&str, &str), usize>::new();
    for line in log.lines() {
        let Some((thread, name, arguments)) = parse(line) else { continue };
        first_thread.get_or_insert(thread);
        let ordinal = ordinals.entry((thread, name)).or_default();
        *ordinal += 1;
        made.insert((thread, Call { name, ordinal: *ordinal }), is_ours(arguments, directory));
    }
    let ours = made.iter().filter(|(_, ours)| **ours).map(|((_, call), _)| *call);
    // Where the first thread's call is the loader's, disturbing it would disturb no call of ours.
    let loaders = |call: &Call| first_thread.is_some_and(|first| made.get(&(first, *call)) == Some(&false));
    let calls: BTreeSet<_> = ours.clone().filter(|call| !loaders(call)).collect();
    let hidden = ours.count() - calls.len();
    (calls.into_iter().collect(), hidden)
}

/// Thread, name and arguments of a line of the log.
fn parse(line: &str) -> Option<(&str, &'static str, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (name, arguments) = rest.trim_start().split_once('(')?;
    let name = CALLS.iter().find(|call| **call == name)?;
    Some((thread, name, arguments))
}

/// Whether a call is about the directory's files or the command's own output, and not about libraries.
fn is_ours(arguments: &str, directory: &str) -> bool {
    // Where relative paths start from says nothing about the path.
    let arguments = arguments.replace(&format!("AT_FDCWD<{directory}>"), "AT_FDCWD");
    let relative = arguments.starts_with("AT_FDCWD")
        && arguments.split('"').nth(1).is_some_and(|path| !path.starts_with('/'));
    relative || arguments.contains(directory) || ["1<", "2<"].iter().any(|start| arguments.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
7 openat(AT_FDCWD</w>, \"/lib/libc.so\", O_RDONLY) = 3</lib/libc.so>
7 openat(AT_FDCWD</w>, \"/w/a\", O_RDONLY) = 3</w/a>
7 write(1</tmp/out>, \"x\", 1) = 1
8 openat(AT_FDCWD</w>, \"b\", O_RDONLY <unfinished ...>
8 <... openat resumed>) = 3</w/b>
8 openat(AT_FDCWD</w>, \"c\", O_RDONLY) = 3</w/c>
8 openat(AT_FDCWD</w>, \"d\", O_RDONLY) = 3</w/d>
7 +++ exited with 0 +++
";

    #[test]
    fn what_the_loader_does_is_not_disturbed() {
        let calls = [("openat", 2), ("openat", 3), ("write", 1)];
        let calls = calls.map(|(name, ordinal)| Call { name, ordinal });
        // The first call of thread 8 is hidden behind the loader's, the second behind thread 7's own.
        assert_eq!(reachable(LOG, "/w"), (calls.to_vec(), 2));
    }
}
