//! One run: the first build, the build after one edit, and both on one machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Result, files};

use super::generate::Program;
use super::measure::{self, Cost};

/// What is built, in the order of the tables.
pub(super) const FIRST: &str = "first build, two agents";
/// The build after one procedure was edited.
pub(super) const EDITED: &str = "one procedure edited, two agents";
const FIRST_LOCAL: &str = "first build, one machine";
const EDITED_LOCAL: &str = "one procedure edited, one machine";

/// The step that makes the stripped repository.
pub(super) const STRIP: &str = "strip";
const AGENTS: [&str; 2] = ["compile on agent 1", "compile on agent 2"];

/// One step of one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Which build it is part of.
    pub(super) build: &'static str,
    /// The step.
    pub(super) name: &'static str,
    /// What it took.
    pub(super) cost: Cost,
    /// The size of what it wrote.
    pub(super) bytes: u64,
}

impl Step {
    /// Whether this step runs on an agent.
    pub(super) fn on_agent(&self) -> bool {
        AGENTS.contains(&self.name)
    }
}

/// One run.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The steps in order.
    pub(super) steps: Vec<Step>,
    /// Bytes that moved between the machines, by build.
    pub(super) moved: Vec<(&'static str, u64)>,
    /// Digests in the stripped repository.
    pub(super) digests: u64,
}

/// The fields of the compiler's report that tell a right result from a wrong one.
#[derive(Deserialize)]
struct Compiled {
    generated: usize,
}

/// The field of the stripper's report that the size is compared with.
#[derive(Deserialize)]
struct Stripped {
    fragments: u64,
}

/// Runs everything once, in a directory that is removed at the end.
pub(super) fn run(toy: &Path, procedures: usize) -> Result<Sample> {
    let target = files::project_root().join("target");
    files::make_directory(&target)?;
    let directory =
        tempfile::tempdir_in(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    let mut run = Run { toy, directory: directory.path(), sample: Sample::default() };
    let [original, edited] = [Program::original(procedures), Program::edited(procedures)];
    // main is compiled by both agents.
    run.distributed(FIRST, &original, procedures + 1)?;
    run.local(FIRST_LOCAL, &original, procedures)?;
    run.distributed(EDITED, &edited, 1)?;
    run.local(EDITED_LOCAL, &edited, 1)?;
    Ok(run.sample)
}

struct Run<'a> {
    toy: &'a Path,
    directory: &'a Path,
    sample: Sample,
}

impl Run<'_> {
    /// A machine's directory.
    fn machine(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        files::make_directory(&path)?;
        Ok(path)
    }

    /// One measured command; `written` is the file whose size it answers for.
    fn step(
        &mut self,
        names: [&'static str; 2],
        at: &Path,
        written: &str,
        arguments: &[&str],
    ) -> Result<String> {
        let (cost, output) = measure::run(self.toy, at, arguments)?;
        let bytes = if written.is_empty() { output.len() as u64 } else { files::size(&at.join(written))? };
        self.sample.steps.push(Step { build: names[0], name: names[1], cost, bytes });
        Ok(output)
    }

    /// The four steps, and the run.
    fn distributed(&mut self, build: &'static str, program: &Program, needed: usize) -> Result<()> {
        let host = self.machine("host")?;
        let stripped = self.strip(build, &host)?;
        let mut moved = 0;
        let mut generated = 0;
        for (index, share) in program.shares().iter().enumerate() {
            let agent = self.machine(&format!("agent{}", index + 1))?;
            files::make_empty_directory(&agent)?;
            program.write(&agent, share)?;
            moved += total(&agent, share)?;
            if stripped {
                moved += files::copy(&host.join("repoc.yaml"), &agent.join("repo.yaml"))?;
            }
            generated += self.compile([build, AGENTS[index]], &agent, share)?;
            moved += take_back(&agent, &host, share, index + 1)?;
        }
        self.step(
            [build, "merge"],
            &host,
            "repo.yaml",
            &["merge", "--json", "-r", "repo.yaml", "repo1.yaml", "repo2.yaml"],
        )?;
        self.link(build, &host, program)?;
        self.sample.moved.push((build, moved));
        expect(build, generated, needed)
    }

    /// Strips the host's repository, if there is one.
    fn strip(&mut self, build: &'static str, host: &Path) -> Result<bool> {
        if !host.join("repo.yaml").exists() {
            return Ok(false);
        }
        let arguments = ["strip", "--json", "-i", "repo.yaml", "-o", "repoc.yaml"];
        let report = self.step([build, STRIP], host, "repoc.yaml", &arguments)?;
        self.sample.digests = read::<Stripped>(&report)?.fragments;
        Ok(true)
    }

    /// Compiles, and returns the number of procedures that were generated.
    fn compile(&mut self, names: [&'static str; 2], at: &Path, sources: &[String]) -> Result<usize> {
        let mut arguments = vec!["compile", "--json", "-r", "repo.yaml"];
        arguments.extend(sources.iter().map(String::as_str));
        let report = self.step(names, at, "repo.yaml", &arguments)?;
        Ok(read::<Compiled>(&report)?.generated)
    }

    fn link(&mut self, build: &'static str, at: &Path, program: &Program) -> Result<()> {
        let tickets: Vec<_> = program.names().iter().map(|name| ticket(name)).collect();
        let mut arguments = vec!["link", "--json", "-r", "repo.yaml", "-o", "main.tx"];
        arguments.extend(tickets.iter().map(String::as_str));
        self.step([build, "link"], at, "main.tx", &arguments)?;
        self.step([build, "run"], at, "", &["run", "main.tx"])?;
        Ok(())
    }

    /// The same on one machine; the executable must be the same too.
    fn local(&mut self, build: &'static str, program: &Program, needed: usize) -> Result<()> {
        let local = self.machine("local")?;
        let names = program.names();
        program.write(&local, &names)?;
        let generated = self.compile([build, "compile"], &local, &names)?;
        self.link(build, &local, program)?;
        let host = self.machine("host")?;
        if files::read(&host.join("main.tx"))? != files::read(&local.join("main.tx"))? {
            return Err(format!("{build}: the executable differs from the one of two agents"));
        }
        expect(build, generated, needed)
    }
}

fn expect(build: &str, generated: usize, needed: usize) -> Result<()> {
    if generated == needed {
        return Ok(());
    }
    Err(format!("{build}: {generated} procedures were generated where {needed} were needed"))
}

fn read<'a, T: Deserialize<'a>>(report: &'a str) -> Result<T> {
    serde_json::from_str(report).map_err(|error| format!("a report is not as promised: {error}\n{report}"))
}

fn ticket(source: &str) -> String {
    source.replace(".toy", ".to")
}

fn total(directory: &Path, names: &[String]) -> Result<u64> {
    names.iter().map(|name| files::size(&directory.join(name))).sum()
}

/// Copies an agent's tickets and repository to the host, and returns their size in bytes.
fn take_back(agent: &Path, host: &Path, sources: &[String], number: usize) -> Result<u64> {
    let mut bytes = files::copy(&agent.join("repo.yaml"), &host.join(format!("repo{number}.yaml")))?;
    for name in sources.iter().map(|name| ticket(name)) {
        bytes += files::copy(&agent.join(&name), &host.join(&name))?;
    }
    Ok(bytes)
}
