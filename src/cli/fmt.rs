//! toyfmt (toy fmt): sources in the one form in which all are read most easily.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::error::ErrorKind;
use miette::{Diagnostic, Report};
use serde_json::{Value, json};
use similar::TextDiff;
use thiserror::Error;

use super::Verb;
use super::inputs::{count, is_stdin, mistakes, read_source, sources};
use super::ui::{Done, Failure, Ui};
use crate::format::format;
use crate::store::file::{Mode, replace};

/// Format sources: lines, blanks and indentation; what they mean stays the same
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Sources, directories to look for *.toy in, or `-` for standard input, which is formatted to standard output [default: -]
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,

    /// Change nothing: show what would change, and exit with 1 if anything would
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` is not formatted", path.display())]
#[diagnostic(code(toy::fmt::unformatted), help("`toy fmt {}` formats it", path.display()))]
struct Unformatted {
    path: PathBuf,
}

/// What became of a source.
struct Outcome {
    path: PathBuf,
    is_changed: bool,
    shown: Shown,
}

/// What there is to be seen of a source.
enum Shown {
    /// It was written to its file.
    Nothing,
    /// It came from what cannot be written to, and this is its text.
    Text(String),
    /// It was only checked, and this would change.
    Diff(String),
}

impl Verb for FmtArgs {
    fn run(&self, ui: &Ui) -> Result<Done, Failure> {
        let (mut outcomes, mut problems) = (Vec::new(), Vec::new());
        for path in self.paths()? {
            match self.format(path) {
                Ok(outcome) => outcomes.push(outcome),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if !ui.is_json() {
            stream(&outcomes).map_err(Failure::Output)?;
        }
        let unformatted = outcomes.iter().filter(|outcome| self.check && outcome.is_changed);
        problems.extend(unformatted.map(|outcome| Unformatted { path: outcome.path.clone() }.into()));
        Ok(Done { problems, ..Done::new(json(&outcomes), text(&outcomes)) })
    }
}

impl FmtArgs {
    /// The sources to format, each directory replaced by those below it.
    fn paths(&self) -> Result<Vec<PathBuf>, Failure> {
        if self.sources.is_empty() && io::stdin().is_terminal() {
            let message = "no source was given, and standard input is a terminal\n";
            return Err(Failure::Usage(clap::Error::raw(ErrorKind::MissingRequiredArgument, message)));
        }
        if self.sources.is_empty() { Ok(vec![PathBuf::from("-")]) } else { sources(&self.sources) }
    }

    /// Formats a source, and writes it in place of the old one if it changes and is not only to be checked.
    fn format(&self, path: PathBuf) -> Result<Outcome, Vec<Report>> {
        let before = read_source(&path).map_err(|problem| vec![problem])?;
        let after = format(&before).map_err(|errors| mistakes(&path, &before, errors).collect::<Vec<_>>())?;
        let is_changed = before != after;
        let shown = if self.check {
            Shown::Diff(diff(&path, &before, &after))
        } else if is_stream(&path) {
            Shown::Text(after)
        } else {
            if is_changed {
                replace(&path, after.as_bytes(), Mode::Plain).map_err(|error| vec![error.into()])?;
            }
            Shown::Nothing
        };
        Ok(Outcome { path, is_changed, shown })
    }
}

/// Whether what is there cannot be replaced: standard input, a pipe or a device.
fn is_stream(path: &Path) -> bool {
    is_stdin(path) || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// What formatting changes, as `diff -u` shows it; nothing if it changes nothing.
fn diff(path: &Path, before: &str, after: &str) -> String {
    let name = path.display().to_string();
    TextDiff::from_lines(before, after).unified_diff().header(&name, &name).to_string()
}

/// Writes the texts that have no file to be written to. They are no report: `-q` does not stop them.
fn stream(outcomes: &[Outcome]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for outcome in outcomes {
        if let Shown::Text(text) = &outcome.shown {
            out.write_all(text.as_bytes())?;
        }
    }
    out.flush()
}

fn changed(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_changed).count()
}

/// What would change; or how many files did, if there are any.
fn text(outcomes: &[Outcome]) -> String {
    let diffs = outcomes.iter().filter_map(|outcome| match &outcome.shown {
        Shown::Diff(diff) => Some(&**diff),
        Shown::Nothing | Shown::Text(_) => None,
    });
    if outcomes.iter().any(|outcome| !matches!(outcome.shown, Shown::Nothing)) || outcomes.is_empty() {
        return diffs.collect();
    }
    let (sources, changed) = (outcomes.len(), changed(outcomes));
    format!("{}: {changed} changed, {} unchanged\n", count(sources, "source"), sources - changed)
}

fn json(outcomes: &[Outcome]) -> Value {
    let source = |outcome: &Outcome| {
        let mut value = json!({ "source": outcome.path.to_string_lossy(), "changed": outcome.is_changed });
        match &outcome.shown {
            Shown::Nothing => {}
            Shown::Text(text) => value["text"] = text.as_str().into(),
            Shown::Diff(diff) => value["diff"] = diff.as_str().into(),
        }
        value
    };
    let (sources, changed) = (outcomes.iter().map(source).collect::<Vec<_>>(), changed(outcomes));
    json!({ "sources": sources, "changed": changed, "unchanged": outcomes.len() - changed })
}
