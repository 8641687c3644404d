//! toycc (toy compile): sources to tickets; code that the repository has is not generated.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::{Diagnostic, Report};
use rayon::prelude::*;
use serde_json::json;
use thiserror::Error;

use super::Verb;
use super::depfile::Depfile;
use super::inputs::{RepositoryArg, count, is_stdin, mistakes, read_source, sources};
use super::jobs::Threads;
use super::lints::LintArgs;
use super::ui::{Done, Failure, Ui};
use crate::compile::{
    Compiled, CompiledUnit, Known, LineTables, Optimization, Options, Prepared, Unchanged, is_kept, prepare,
    unchanged,
};
use crate::lint::Warning;
use crate::object::compilation::Ticket;
use crate::source::SourceFile;
use crate::store::file;
use crate::store::wire::ticket;
use crate::store::{Repository, StoreError};

/// Compile sources; what the repository has already is not generated again
#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Sources, directories to look for *.toy in, or `-` for standard input
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,

    /// The ticket; with several sources, the directory for their tickets [default: NAME.to in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    repository: RepositoryArg,

    #[command(flatten)]
    threads: Threads,

    /// Write a rule for make or ninja that says which source each ticket is made from
    #[arg(long, value_name = "FILE")]
    depfile: Option<PathBuf>,

    /// Make line tables, so that errors at run time show the source line; the code stays the same
    #[arg(short = 'g', long)]
    debug: bool,

    /// Optimise: bind operators early, compile blocks in place, calculate what is certain
    #[arg(short = 'O', long)]
    optimize: bool,

    /// Generate also what the repository knows without having it (see `toy strip`)
    #[arg(long)]
    fill: bool,

    /// The name of what comes from standard input
    #[arg(long, value_name = "NAME", default_value = "stdin.toy")]
    source_name: String,

    /// Say of every procedure whether its code was generated
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    lints: LintArgs,
}

#[derive(Debug, Error, Diagnostic)]
enum InputError {
    #[error("the {what} would overwrite the source `{}`", path.display())]
    #[diagnostic(code(toy::compile::overwrites), help("give it another name"))]
    Overwrites { what: &'static str, path: PathBuf },

    #[error("`{}` and `{}` would both become `{}`", first.display(), second.display(), ticket.display())]
    #[diagnostic(code(toy::compile::same_ticket), help("compile them one after the other, each with `-o`"))]
    SameTicket { first: PathBuf, second: PathBuf, ticket: PathBuf },
}

/// A source, where it came from, and where its ticket goes.
struct Job {
    path: PathBuf,
    ticket: PathBuf,
    source: SourceFile,
}

impl Verb for CompileArgs {
    fn run(&self, ui: &Ui) -> Result<Done, Failure> {
        let jobs = self.jobs()?;
        let sources = jobs.iter().map(|job| job.source.clone()).collect::<Vec<_>>();
        let options = Options {
            line_tables: if self.debug { LineTables::With } else { LineTables::Without },
            known: if self.fill { Known::Fill } else { Known::Reuse },
            optimization: if self.optimize { Optimization::With } else { Optimization::Without },
        };
        let depfile = self.depfile.as_deref().map(|path| depfile(path, &jobs)).transpose()?;
        let repository = Repository::open_or_empty(&self.repository.path);
        if let Some((job, ticket, unchanged)) =
            self.unchanged(&jobs, &repository, options, ui.has_report())?
        {
            depfile.map_or(Ok(()), |depfile| depfile.write())?;
            let reported =
                unchanged.procedures.map(|procedures| self.report(&[(job, ticket)], procedures, 0));
            return Ok(reported.unwrap_or_else(|| Done::new(json!({}), String::new())));
        }
        let work = || prepare(&repository, &sources, options).map(|made| (self.warnings(&made), made));
        let (warnings, prepared) = self.threads.run(jobs.len(), work)?;
        // On one thread: while it waits for other compilers, they may have the others.
        prepared.commit(&repository)?;
        // Everything that a ticket names is stored: now the tickets may be written.
        let tickets = prepared.tickets().zip(&warnings);
        let tickets = tickets.map(|(ticket, warnings)| ticket.filter(|_| !is_denied(warnings)));
        let tickets = tickets.collect::<Vec<_>>();
        self.threads.run(jobs.len(), || write_tickets(&jobs, &tickets))?;
        prepared.settle(&repository)?;
        if let (Some(depfile), true) = (depfile, tickets.iter().all(Option::is_some)) {
            depfile.write()?;
        }
        Ok(self.done(&jobs, prepared.report(), warnings))
    }
}

impl CompileArgs {
    fn jobs(&self) -> Result<Vec<Job>, Failure> {
        let paths = sources(&self.sources)?;
        let directory = self.ticket_directory(&paths)?;
        let mut tickets = BTreeMap::<PathBuf, &Path>::new();
        let (mut jobs, mut problems) = (Vec::with_capacity(paths.len()), Vec::new());
        for path in &paths {
            match self.job(path, directory.as_deref()) {
                Err(problem) => problems.push(problem),
                Ok(job) => match tickets.insert(job.ticket.clone(), path) {
                    None => jobs.push(job),
                    // Named twice, a source is compiled once.
                    Some(first) if file::is_same(first, path) => {}
                    Some(first) => problems.push(same_ticket(first, job)),
                },
            }
        }
        if problems.is_empty() { Ok(jobs) } else { Err(Failure::Problems(problems)) }
    }

    fn job(&self, path: &Path, directory: Option<&Path>) -> Result<Job, Report> {
        let source = self.read(path)?;
        let ticket = match (directory, &self.output) {
            (None, Some(file)) => file.clone(),
            (directory, _) => {
                // From the path itself: the name inside the compilation is text, which not every path is.
                let name = if is_stdin(path) { Path::new(&*source.name) } else { path };
                let ticket = Path::new(name.file_name().unwrap_or_default()).with_extension("to");
                directory.unwrap_or(Path::new("")).join(ticket)
            }
        };
        if file::is_same(&ticket, path) {
            return Err(InputError::Overwrites { what: "ticket", path: ticket }.into());
        }
        Ok(Job { path: path.to_owned(), ticket, source })
    }

    /// The directory for the tickets, unless `-o` names the one ticket itself.
    fn ticket_directory(&self, paths: &[PathBuf]) -> Result<Option<PathBuf>, StoreError> {
        let Some(output) = &self.output else { return Ok(Some(PathBuf::new())) };
        let one_file = self.sources == paths && paths.len() == 1;
        if one_file && !output.is_dir() {
            return Ok(None);
        }
        file::create_directory(output)?;
        Ok(Some(output.clone()))
    }

    /// Reads a source, once: what is digested is what is compiled.
    fn read(&self, path: &Path) -> Result<SourceFile, Report> {
        let text = read_source(path)?;
        let name = if is_stdin(path) { Path::new(&self.source_name) } else { path };
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        Ok(SourceFile { name: name.into(), text: text.into() })
    }

    /// The one source, if its ticket says that nothing is to be done, which is most of what a build asks.
    fn unchanged<'j>(
        &self,
        jobs: &'j [Job],
        repository: &Repository,
        options: Options,
        is_counted: bool,
    ) -> Result<Option<(&'j Job, Ticket, Unchanged)>, StoreError> {
        let ([job], false) = (jobs, self.verbose) else { return Ok(None) };
        // Whatever is wrong with what is there, a new ticket takes its place.
        let Some(ticket) = ticket::existing(&job.ticket) else { return Ok(None) };
        let found = unchanged(repository, &job.source, options, &ticket, is_counted)?;
        let Some(unchanged) = found else { return Ok(None) };
        ticket::write(&job.ticket, &ticket)?;
        Ok(is_kept(repository, &ticket)?.then_some((job, ticket, unchanged)))
    }

    /// For each source what is to be said of it.
    fn warnings(&self, prepared: &Prepared<'_>) -> Vec<Vec<Warning>> {
        let none = || prepared.tickets().map(|_| Vec::new()).collect();
        let mut all = if self.lints.allow_all() { none() } else { prepared.warnings() };
        all.iter_mut().for_each(|warnings| self.lints.apply(warnings));
        all
    }

    fn done(&self, jobs: &[Job], compiled: Compiled, all_warnings: Vec<Vec<Warning>>) -> Done {
        let (procedures, generated) = (compiled.procedures, compiled.generated);
        let (mut text, mut tickets) = (String::new(), Vec::new());
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for ((job, unit), said) in jobs.iter().zip(compiled.units).zip(all_warnings) {
            let (denied, said) = said.into_iter().partition::<Vec<_>, _>(|warning| warning.is_denied);
            let has_ticket = denied.is_empty();
            problems.extend(mistakes(&job.path, &job.source.text, denied));
            warnings.extend(mistakes(&job.path, &job.source.text, said));
            match unit {
                Ok(_) if !has_ticket => {}
                Ok(unit) => {
                    if self.verbose {
                        text.push_str(&verbose(job, &unit));
                    }
                    tickets.push((job, unit.ticket));
                }
                Err(errors) => problems.extend(mistakes(&job.path, &job.source.text, errors)),
            }
        }
        let report = self.report(&tickets, procedures, generated);
        text.push_str(&report.text);
        Done { text, problems, warnings, ..report }
    }

    /// The report on sources that have tickets.
    fn report(&self, tickets: &[(&Job, Ticket)], procedures: usize, generated: usize) -> Done {
        let reused = procedures - generated;
        let text = match tickets {
            [] => String::new(),
            _ => format!("{}: {generated} generated, {reused} reused\n", count(procedures, "procedure")),
        };
        let ticket = |(job, ticket): &(&Job, Ticket)| {
            json!({
                "source": job.path.to_string_lossy(), "ticket": job.ticket.to_string_lossy(),
                "compilation": ticket.compilation.to_string(),
            })
        };
        let json = json!({
            "procedures": procedures, "generated": generated, "reused": reused,
            "optimized": self.optimize, "tickets": tickets.iter().map(ticket).collect::<Vec<_>>(),
        });
        Done::new(json, text)
    }
}

/// The rules for all tickets, for a file that is not one of the sources.
fn depfile<'p>(path: &'p Path, jobs: &[Job]) -> Result<Depfile<'p>, Failure> {
    if jobs.iter().any(|job| file::is_same(path, &job.path)) {
        return Err(InputError::Overwrites { what: "depfile", path: path.to_owned() }.into());
    }
    let rule = |job| {
        let Job { path, ticket, .. }: &Job = job;
        (&**ticket, Some(&**path).filter(|path| !is_stdin(path)))
    };
    Depfile::new(path, jobs.iter().map(rule))
}

/// Whether a source with these warnings counts as one with mistakes.
fn is_denied(warnings: &[Warning]) -> bool {
    warnings.iter().any(|warning| warning.is_denied)
}

fn write_tickets(jobs: &[Job], tickets: &[Option<Ticket>]) -> Result<(), StoreError> {
    let pairs = jobs.par_iter().zip(tickets);
    pairs.try_for_each(|(job, ticket)| ticket.map_or(Ok(()), |ticket| ticket::write(&job.ticket, &ticket)))
}

fn same_ticket(first: &Path, Job { path: second, ticket, .. }: Job) -> Report {
    InputError::SameTicket { first: first.to_owned(), second, ticket }.into()
}

fn verbose(job: &Job, unit: &CompiledUnit) -> String {
    let mut text = format!("{} -> {}\n", job.path.display(), job.ticket.display());
    for procedure in &unit.procedures {
        let verdict = if procedure.generated { "generated" } else { "reused" };
        _ = writeln!(text, "  {:.16} {verdict:9} {}", procedure.fragment, procedure.name);
    }
    text
}
