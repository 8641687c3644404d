//! Where the demo happens: the machines, which are directories, and the commands that run on them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde::de::DeserializeOwned;

use crate::{Result, files};

/// A file with this name says that the demo made the directory, and may empty it.
const MARKER: &str = ".made-by-cargo-xtask-demo";

/// The directory of the demo, with the applets' links in `bin`.
#[derive(Debug)]
pub(super) struct Site {
    directory: PathBuf,
}

impl Site {
    /// Makes the directory anew and installs the applets.
    pub(super) fn lay_out(directory: &Path, toy: &Path) -> Result<Self> {
        clear(directory)?;
        let site = Self { directory: directory.to_owned() };
        let output = Command::new(toy).args(["links", "--install"]).arg(site.bin()).output();
        let output = output.map_err(|error| format!("cannot start {}: {error}", toy.display()))?;
        if output.status.success() { Ok(site) } else { Err(failure("toy links --install bin", &output)) }
    }

    /// The demo's directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// A machine, with its directory below the demo's.
    pub(super) fn machine(&self, name: &'static str, directory: &str) -> Machine {
        Machine { name, directory: self.directory.join(directory), bin: self.bin() }
    }
}

/// Empties a directory that the demo made; whose ever else it is, it is left alone.
fn clear(directory: &Path) -> Result<()> {
    let marker = directory.join(MARKER);
    let empty = directory.read_dir().map_or(true, |mut entries| entries.next().is_none());
    if !empty && !marker.exists() {
        return Err(format!(
            "{} has files in it that the demo did not make; choose another --out",
            directory.display()
        ));
    }
    files::make_empty_directory(directory)?;
    files::write(&marker, "`cargo xtask demo` empties this directory before it starts.\n")
}

/// A machine: a name for the story, and the directory that stands for its disk.
#[derive(Debug)]
pub(super) struct Machine {
    /// The machine's name.
    pub(super) name: &'static str,
    directory: PathBuf,
    bin: PathBuf,
}

impl Machine {
    /// A path on this machine.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Starts with an empty disk, as an agent does for every job.
    pub(super) fn wipe(&self) -> Result<()> {
        files::make_empty_directory(&self.directory)
    }

    /// Makes the machine's directory, and keeps what is in it.
    pub(super) fn prepare(&self) -> Result<()> {
        files::make_directory(&self.directory)
    }

    /// Starts an applet (or `toy`) in the machine's directory.
    pub(super) fn start(&self, line: &str) -> Result<Started> {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap_or_default();
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.directory).args(words);
        command.env_remove("TOY_REPOSITORY");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("cannot start {program}: {error}"))?;
        Ok(Started { line: format!("{} $ {line}", self.name), child })
    }

    /// Runs a command, and returns what it printed.
    pub(super) fn run(&self, line: &str) -> Result<String> {
        self.start(line)?.finish()
    }

    /// Runs a command with `--json`, and returns its report.
    pub(super) fn report<T: DeserializeOwned>(&self, line: &str) -> Result<T> {
        self.start(line)?.report()
    }
}

/// A command on its way.
#[derive(Debug)]
pub(super) struct Started {
    line: String,
    child: Child,
}

impl Started {
    /// Waits for the end; a failure is an error with what the command said.
    pub(super) fn finish(self) -> Result<String> {
        let output = self.child.wait_with_output().map_err(|error| format!("{}: {error}", self.line))?;
        if !output.status.success() {
            return Err(failure(&self.line, &output));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("{}: the output is no text", self.line))
    }

    /// Waits for the end, and reads the report.
    pub(super) fn report<T: DeserializeOwned>(self) -> Result<T> {
        let line = self.line.clone();
        let text = self.finish()?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{line}: the report is not as promised: {error}\n{text}"))
    }
}

fn failure(line: &str, output: &Output) -> String {
    let said =
        [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    format!("{line}\n  failed ({}):\n{}", output.status, said.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_demos_own_directory_is_emptied() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("out");
        clear(&directory).unwrap();
        files::write(&directory.join("old"), "").unwrap();
        clear(&directory).unwrap();
        assert!(!directory.join("old").exists());

        let precious = temporary.path().join("precious");
        files::make_directory(&precious).unwrap();
        files::write(&precious.join("letter"), "").unwrap();
        assert!(clear(&precious).is_err());
        assert!(precious.join("letter").exists());
    }
}
