//! Where the measurements take place: sources, repositories made of them by `toy` itself, and commands on them.
//!
//! All paths are relative to the bench's own directory, in which every command runs. Nothing is kept of an earlier
//! bench but the sources, which are a function of their numbers, and what the rivals keep.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use serde_json::Value;

use crate::{Result, files};

use super::super::generate::Program;
use super::probe::{self, Use};

/// Procedures of one program; a larger repository holds several.
pub(super) const PROGRAM: usize = 100_000;
/// Procedures in the file that is compiled.
pub(super) const FILE: usize = 100;
/// The source that is compiled.
pub(super) const ONE: &str = "sources/one.toy";
/// Where the numbers of procedures begin that no repository has before they are merged into it.
const NEW: usize = 10_000_000;
const OTHERS: usize = 20_000_000;

/// The two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Store {
    /// Text that a person can read.
    Yaml,
    /// An indexed file.
    Database,
}

impl Store {
    /// Both, the smaller first.
    pub(super) const ALL: [Self; 2] = [Self::Yaml, Self::Database];

    /// What it is called in options and tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Database => "database",
        }
    }

    /// How its files end.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Database => "tdb",
        }
    }
}

/// The bench's directory, and the executable that is measured.
#[derive(Debug)]
pub(super) struct Bench {
    toy: PathBuf,
    root: PathBuf,
}

impl Bench {
    /// The bench of an executable.
    pub(super) fn new(toy: PathBuf) -> Result<Self> {
        let root = files::project_root().join("target/bench");
        files::make_directory(&root.join("sources"))?;
        let bench = Self { toy, root };
        files::write(&bench.path(ONE), Program::block(OTHERS, FILE + 1).library())?;
        Ok(bench)
    }

    /// A path that can be used anywhere.
    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A command in the bench's directory.
    pub(super) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(&self.root).env_remove("TOY_REPOSITORY");
        command
    }

    /// A verb of `toy` with a report.
    pub(super) fn verb(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.toy, &arguments[..1]);
        command.arg("--json").args(&arguments[1..]);
        command
    }

    /// Runs a verb, watched.
    pub(super) fn toy(&self, arguments: &[&str]) -> Result<(Use, Report)> {
        let (used, output) = probe::run(&mut self.verb(arguments))?;
        let report =
            serde_json::from_str(&output).map_err(|error| format!("toy {}: {error}", arguments[0]))?;
        Ok((used, Report(report)))
    }

    /// Lets the system write all that it has not written yet: nobody's time is to pay for another's bytes.
    pub(super) fn settle(&self) -> Result<()> {
        probe::time(&mut self.command("sync", &[])).map(drop)
    }

    /// Copies a file.
    pub(super) fn copy(&self, from: &str, to: &str) -> Result<u64> {
        files::copy(&self.path(from), &self.path(to))
    }
}

/// What a verb reported.
#[derive(Debug)]
pub(super) struct Report(Value);

impl Report {
    /// A number in it.
    pub(super) fn number(&self, name: &str) -> Result<usize> {
        let number = self.0[name].as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("no number `{name}` in {}", self.0))
    }

    /// A number that must be what is promised: a wrong result is no figure.
    pub(super) fn expect(&self, name: &str, promised: usize) -> Result<()> {
        match self.number(name)? {
            number if number == promised => Ok(()),
            number => Err(format!("`{name}` is {number} where {promised} is right")),
        }
    }
}

/// A repository of one size in one store, and what goes with it.
#[derive(Debug)]
pub(super) struct Site<'b> {
    pub(super) bench: &'b Bench,
    pub(super) store: Store,
    /// Fragments of the repository.
    pub(super) size: usize,
    /// Fragments of the repository that is merged into it.
    pub(super) new: usize,
    /// What making the repository took, one compilation a program.
    pub(super) made: Vec<Use>,
}

impl<'b> Site<'b> {
    /// Makes the repositories.
    pub(super) fn new(bench: &'b Bench, store: Store, size: usize) -> Result<Self> {
        let mut site = Self { bench, store, size, new: size.min(PROGRAM), made: Vec::new() };
        files::make_empty_directory(&bench.path(&site.directory()))?;
        let programs = (0..size).step_by(PROGRAM);
        for (number, first) in programs.enumerate() {
            let program = Program::block(first, PROGRAM.min(size - first));
            site.made.push(site.compile_program(&program, &format!("{size}-{number}"), "base")?);
        }
        site.compile_program(&Program::block(NEW, site.new), &format!("new-{}", site.new), "new")?;
        Ok(site)
    }

    fn compile_program(&self, program: &Program, name: &str, repository: &str) -> Result<Use> {
        let sources = format!("sources/{name}");
        let names = program.names();
        let directory = self.bench.path(&sources);
        // `main` is written last: where it is, all are.
        if ![&names[0], &names[names.len() - 1]].into_iter().all(|name| program.is_written(&directory, name))
        {
            files::make_empty_directory(&directory)?;
            program.write(&directory, &names)?;
        }
        let tickets = format!("{}/{name}", self.tickets());
        files::make_directory(&self.bench.path(&tickets))?;
        let repository = self.file(repository);
        self.bench.settle()?;
        let (used, report) =
            self.bench.toy(&["compile", "-q", "-r", &repository, "-o", &tickets, &sources])?;
        let procedures = report.number("procedures")?;
        report.expect("generated", procedures).map(|()| used)
    }

    /// Where all is that is made for this repository.
    pub(super) fn directory(&self) -> String {
        format!("{}-{}", self.store.name(), self.size)
    }

    /// The tickets of all that was compiled, one directory a program.
    pub(super) fn tickets(&self) -> String {
        format!("{}/tickets", self.directory())
    }

    /// The tickets of the first program.
    pub(super) fn first_program(&self) -> String {
        format!("{}/{}-0", self.tickets(), self.size)
    }

    /// A repository of this site.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}.{}", self.directory(), self.store.ending())
    }

    /// Puts a fresh copy of the repository where it may be changed.
    pub(super) fn fresh(&self) -> Result<String> {
        let work = self.file("work");
        self.bench.copy(&self.file("base"), &work)?;
        self.bench.settle()?;
        Ok(work)
    }

    /// The ticket of the file of 100 procedures.
    pub(super) fn ticket(&self) -> String {
        format!("{}/one.to", self.directory())
    }

    /// Compiles the file of 100 procedures.
    pub(super) fn compile_one(&self, repository: &str, generated: usize) -> Result<Use> {
        let ticket = self.ticket();
        let (used, report) = self.bench.toy(&["compile", "-r", repository, "-o", &ticket, ONE])?;
        report.expect("generated", generated).map(|()| used)
    }
}
