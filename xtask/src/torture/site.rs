//! A directory in which commands run, and which is set up anew for each point.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, files};

use super::process::{self, Ended};

/// A directory and the `toy` that runs in it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    directory: PathBuf,
    toy: PathBuf,
}

impl Site {
    /// A new directory.
    pub(super) fn new(directory: &Path, toy: &Path) -> Result<Self> {
        files::make_empty_directory(directory)?;
        Ok(Self { directory: directory.to_owned(), toy: toy.to_owned() })
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The executable.
    pub(super) fn toy_path(&self) -> &Path {
        &self.toy
    }

    /// Makes the directory a copy of another one.
    pub(super) fn reset(&self, template: &Path) -> Result<()> {
        empty(&self.directory)?;
        copy_below(template, &self.directory)
    }

    /// Runs `toy`.
    pub(super) fn run<W: AsRef<str>>(&self, words: &[W]) -> Result<Ended> {
        let mut command = self.command(&self.toy);
        command.args(words.iter().map(AsRef::as_ref));
        process::run(command)
    }

    /// Runs `toy`, which must succeed, and returns what it printed.
    pub(super) fn must<W: AsRef<str>>(&self, words: &[W]) -> Result<String> {
        let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
        self.run(&words)?.success(&format!("toy {}", words.join(" ")))
    }

    /// strace with its log in a file; what it traces is to be added.
    pub(super) fn traced(&self, log: &Path) -> Command {
        let mut command = self.command(Path::new("strace"));
        command.args(["-f", "-o"]).arg(log);
        command
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env_remove("TOY_REPOSITORY").env_remove("MAKEFLAGS");
        command.env("NO_COLOR", "1");
        command
    }
}

fn named<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}

/// Removes what is in a directory, and leaves the directory, which may be where a file system is mounted.
fn empty(directory: &Path) -> Result<()> {
    for entry in named(directory, fs::read_dir(directory))? {
        let path = named(directory, entry)?.path();
        if path.is_dir() { files::remove_directory(&path)? } else { files::remove_file(&path)? }
    }
    Ok(())
}

fn copy_below(from: &Path, to: &Path) -> Result<()> {
    for entry in named(from, fs::read_dir(from))? {
        let (from, to) = named(from, entry.map(|entry| (entry.path(), to.join(entry.file_name()))))?;
        if from.is_dir() {
            files::make_directory(&to)?;
            copy_below(&from, &to)?;
        } else {
            files::copy(&from, &to)?;
        }
    }
    Ok(())
}
