//! What several verbs take: a repository, and files that are named or found in directories.

use std::io;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use std::sync::Arc;

use clap::Args;
use miette::{Diagnostic, NamedSource, Report};
use thiserror::Error;
use walkdir::WalkDir;

use super::ui::Failure;
use crate::store::StoreError;
use crate::store::file::{io_error, read_any, read_stream, shown};
use crate::store::seal::identify;

/// The repository that a verb works on.
#[derive(Debug, Args)]
pub struct RepositoryArg {
    /// The repository
    #[arg(short = 'r', long = "repository", value_name = "FILE")]
    #[arg(default_value = "repo.yaml", env = "TOY_REPOSITORY")]
    pub path: PathBuf,
}

/// Why a source cannot be had.
#[derive(Debug, Error, Diagnostic)]
enum SourceError {
    #[error("`{}` is not UTF-8: line {line} has the byte {byte:#04x}", path.display())]
    #[diagnostic(code(toy::source::utf8), help("save the file as UTF-8"))]
    Utf8 { path: PathBuf, line: usize, byte: u8 },

    #[error("there is no `*.toy` in `{}`", path.display())]
    #[diagnostic(code(toy::source::none), help("name the source itself if it ends otherwise"))]
    None { path: PathBuf },
}

/// Replaces each directory among `paths` by the sources below it; that there is none at all is an error.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let sources = files(paths, "toy")?;
    match paths.first() {
        Some(path) if sources.is_empty() => Err(SourceError::None { path: path.clone() }.into()),
        _ => Ok(sources),
    }
}

/// Whether a path stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a source, once. What is one of our other files is an error.
pub fn read_source(path: &Path) -> Result<String, Report> {
    let bytes = if is_stdin(path) {
        read_stream(io::stdin().lock(), path)?
    } else {
        read_any(path)?.ok_or_else(|| StoreError::NotFound {
            what: "source",
            path: path.to_owned(),
            help: "check the path; a directory is searched for `*.toy`",
        })?
    };
    if let found @ Some(_) = identify(&bytes) {
        return Err(StoreError::Kind { path: path.to_owned(), found, expected: "a source" }.into());
    }
    Ok(String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?)
}

fn not_utf8(path: &Path, error: &FromUtf8Error) -> SourceError {
    let (right, wrong) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
    let line = right.iter().filter(|byte| **byte == b'\n').count() + 1;
    SourceError::Utf8 { path: path.to_owned(), line, byte: wrong.first().copied().unwrap_or_default() }
}

/// The mistakes in a source, or warnings, as problems that show its lines.
pub fn mistakes<E: Diagnostic + Send + Sync + 'static>(
    path: &Path,
    text: &str,
    errors: Vec<E>,
) -> impl Iterator<Item = Report> {
    // Most often there is none, and nobody needs a copy of the text.
    let mut source = None;
    let named = move || Arc::new(NamedSource::new(path.display().to_string(), text.to_owned()));
    errors
        .into_iter()
        .map(move |error| Report::new(error).with_source_code(Arc::clone(source.get_or_insert_with(named))))
}

/// Replaces each directory among `paths` by the files below it with this ending, in the order of their names.
pub fn files(paths: &[PathBuf], ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        if path.is_dir() {
            files.extend(files_below(path, ending)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn files_below(directory: &Path, ending: &str) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(directory).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(directory).to_owned();
            io_error("look for files in", &path)(error.into())
        })?;
        // What leads elsewhere must be looked at to know.
        let kind = entry.file_type();
        let is_file = kind.is_file() || kind.is_symlink() && entry.path().is_file();
        if is_file && entry.path().extension().is_some_and(|found| found == ending) {
            files.push(shown(entry.path()).to_owned());
        }
    }
    Ok(files)
}

/// `1 fragment`, `2 fragments`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
