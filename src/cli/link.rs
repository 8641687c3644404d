//! toyld (toy link): tickets to an executable, straight from the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;
use miette::{Diagnostic, Report, Severity};
use rayon::prelude::*;
use serde_json::json;
use thiserror::Error;

use super::Verb;
use super::inputs::{RepositoryArg, count, files};
use super::jobs::Threads;
use super::place::{Mark, locate};
use super::ui::{Done, Failure, Ui};
use crate::digest::{BuildId, CompilationId};
use crate::link::{Input, LinkError, Linked, Options, Unresolved, link};
use crate::name::Name;
use crate::object::link_record::{LinkRecord, Place};
use crate::store::file::{self, Mode, directory};
use crate::store::seal::refuse_to_overwrite;
use crate::store::wire::executable::{self, Format, Written};
use crate::store::wire::ticket;
use crate::store::{Form, Repository, StoreError};

/// Link tickets into an executable, with the code that the repository has
#[derive(Debug, Args)]
pub struct LinkArgs {
    /// Tickets, or directories to look for *.to in
    #[arg(value_name = "TICKET", required = true)]
    tickets: Vec<PathBuf>,

    /// The executable
    #[arg(short, long, value_name = "FILE", default_value = "a.tx")]
    output: PathBuf,

    #[command(flatten)]
    repository: RepositoryArg,

    #[command(flatten)]
    threads: Threads,

    /// Where the program starts; given again, more names that must be kept (`toy run --entry`)
    #[arg(short = 'E', long = "entry-point", value_name = "NAME", default_value = "main")]
    entries: Vec<String>,

    /// What to do with a name that is executed and not defined
    #[arg(long, value_name = "WHAT", value_enum, default_value = "error")]
    unresolved: UnresolvedArg,

    /// How the executable is written [default: yaml, or binary from a database]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<FormatArg>,

    /// Write a map of the executable: what lies where, and why
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum UnresolvedArg {
    /// Refuse to link
    Error,
    /// Tell, and leave it to run time
    Warn,
    /// Leave it to run time
    Ignore,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormatArg {
    /// Text that a person can read
    Yaml,
    /// Compact, for large programs
    Binary,
}

#[derive(Debug, Error, Diagnostic)]
enum InputError {
    #[error("`{0}` cannot be the name of a procedure")]
    #[diagnostic(code(toy::link::name), help("a name is a letter, then letters, digits and `_`"))]
    Name(String),

    #[error("there is no ticket in `{}`", .0.display())]
    #[diagnostic(code(toy::link::none), help("`toy compile` makes tickets"))]
    None(PathBuf),
}

#[derive(Debug, Error, Diagnostic)]
#[error("the executable is linked, but the repository could not remember it")]
#[diagnostic(
    code(toy::link::not_recorded),
    severity(Warning),
    help("name the executable, or its directory, to `toy gc`")
)]
struct NotRecorded {
    #[related]
    errors: Vec<StoreError>,
}

/// So many tickets are read before a further thread could have started.
const TICKETS_A_THREAD: usize = 64;

/// So many compilations are linked before a further thread could have started.
const MODULES_A_THREAD: usize = 16;

impl Verb for LinkArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let inputs = self.inputs()?;
        let options = self.options()?;
        self.map.as_deref().map_or(Ok(()), |map| refuse_to_overwrite(map, None))?;
        let repository = Repository::open(&self.repository.path);
        let parts = inputs.len().div_ceil(MODULES_A_THREAD);
        let linked = self.threads.run(parts, || Ok(link(&*repository.read()?, &inputs, &options)));
        let linked = linked.map_err(|error: StoreError| Failure::from(error))?;
        let linked = linked.map_err(|errors| Failure::Problems(self.located(errors, Severity::Error)))?;
        let Linked { image, map, warnings, remains } = linked;
        let (symbols, fragments) = (image.names.symbols().count(), image.sections.count());
        // The executable first: a record of one that is not there would be dropped by gc.
        let write = || executable::write(&self.output, &image, self.format(), remains);
        let Written { bytes, build, compilations, replaced } = self.threads.run(parts, write)?;
        let record = thread::scope(|scope| {
            // It is the system that works here. Where there is no further thread, it does so at once.
            _ = thread::Builder::new().spawn_scoped(scope, || drop((replaced, image)));
            self.record(&repository, build, compilations)
        });
        if let (Some(path), Some(map)) = (&self.map, &map) {
            file::replace(path, map.to_string().as_bytes(), Mode::Plain)?;
        }
        let mut done = self.done(Made { build, symbols, fragments }, bytes, warnings);
        // Whoever may only read the repository may link from it; but its gc will not know the executable.
        done.warnings.extend(record.err().map(|error| NotRecorded { errors: vec![error] }.into()));
        Ok(done)
    }
}

impl LinkArgs {
    fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let paths = files(&self.tickets, "to")?;
        if paths.is_empty() {
            return Err(InputError::None(self.tickets[0].clone()).into());
        }
        let read = |path: &PathBuf| {
            Ok(Input { origin: path.display().to_string().into(), ticket: ticket::read(path)? })
        };
        let (mut inputs, mut problems) = (Vec::new(), Vec::new());
        let parts = paths.len().div_ceil(TICKETS_A_THREAD);
        let results = self.threads.run(parts, || paths.par_iter().map(read).collect::<Vec<_>>());
        for result in results {
            match result {
                Ok(input) => inputs.push(input),
                Err(error) => problems.push(Report::new::<StoreError>(error)),
            }
        }
        if problems.is_empty() { Ok(inputs) } else { Err(Failure::Problems(problems)) }
    }

    fn options(&self) -> Result<Options, InputError> {
        let entry = |text: &String| Name::new(text).ok_or_else(|| InputError::Name(text.clone()));
        let unresolved = match self.unresolved {
            UnresolvedArg::Error => Unresolved::Error,
            UnresolvedArg::Warn => Unresolved::Warn,
            UnresolvedArg::Ignore => Unresolved::Ignore,
        };
        Ok(Options {
            entries: self.entries.iter().map(entry).collect::<Result<_, _>>()?,
            unresolved,
            map: self.map.is_some(),
        })
    }

    fn format(&self) -> Format {
        match self.format {
            Some(FormatArg::Binary) => Format::Binary,
            Some(FormatArg::Yaml) => Format::Yaml,
            // Who keeps a database wants it small and fast.
            None => match Form::of(&self.repository.path) {
                Form::Yaml => Format::Yaml,
                Form::Database => Format::Binary,
            },
        }
    }

    /// Sources are looked for beside the tickets and in the current directory.
    fn located(&self, errors: Vec<LinkError>, severity: Severity) -> Vec<Report> {
        let beside = self.tickets.iter().map(|path| if path.is_dir() { path } else { directory(path) });
        let mut directories = beside.map(ToOwned::to_owned).chain([PathBuf::from(".")]).collect::<Vec<_>>();
        directories.dedup();
        let report = |error: LinkError| {
            let marks =
                error.sites().into_iter().map(|(site, label)| Mark::new(site, label)).collect::<Vec<_>>();
            locate(error.into(), severity, &marks, &directories)
        };
        errors.into_iter().map(report).collect()
    }

    /// Remembers the executable in the repository, unless it was not written to a file.
    fn record(
        &self,
        repository: &Repository,
        build: BuildId,
        compilations: Vec<CompilationId>,
    ) -> Result<(), StoreError> {
        if !self.output.is_file() {
            return Ok(());
        }
        let place = place_below(directory(&self.repository.path), &self.output);
        let record = LinkRecord::new(build, place, compilations);
        repository.write(|transaction| transaction.add_link(record))
    }

    fn done(&self, made: Made, bytes: u64, warnings: Vec<LinkError>) -> Done {
        let Made { build, symbols, fragments } = made;
        let json = json!({
            "symbols": symbols, "fragments": fragments, "executable": self.output.to_string_lossy(),
            "build": build.to_string(), "bytes": bytes,
        });
        let text = format!(
            "{}: {}, {}, {bytes} bytes\n",
            self.output.display(),
            count(symbols, "symbol"),
            count(fragments, "fragment")
        );
        Done { warnings: self.located(warnings, Severity::Warning), ..Done::new(json, text) }
    }
}

/// What is told of an executable.
struct Made {
    build: BuildId,
    symbols: usize,
    fragments: usize,
}

/// The path of `file` from `home`, if it is below it.
fn place_below(home: &Path, file: &Path) -> Option<Place> {
    let (home, file) = (fs::canonicalize(home).ok()?, fs::canonicalize(file).ok()?);
    let parts = file.strip_prefix(home).ok()?.iter().map(|part| part.to_str()).collect::<Option<Vec<_>>>()?;
    Place::new(&parts.join("/"))
}
