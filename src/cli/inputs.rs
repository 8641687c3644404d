//! What several verbs take: a repository, and files that are named or found in directories.

use std::path::{Path, PathBuf};

use clap::Args;
use walkdir::WalkDir;

use super::ui::Failure;
use crate::store::StoreError;
use crate::store::file::{io_error, shown};

/// The repository that a verb works on.
#[derive(Debug, Args)]
pub struct RepositoryArg {
    /// The repository
    #[arg(short = 'r', long = "repository", value_name = "FILE")]
    #[arg(default_value = "repo.yaml", env = "TOY_REPOSITORY")]
    pub path: PathBuf,
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
        if entry.path().is_file() && entry.path().extension().is_some_and(|found| found == ending) {
            files.push(shown(entry.path()).to_owned());
        }
    }
    Ok(files)
}

/// `1 fragment`, `2 fragments`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
