//! toy convert: a repository in another form.

use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use super::inputs::count;
use super::ui::{Done, Failure, Ui};
use super::{Verb, size};
use crate::convert::convert;
use crate::store::Repository;
use crate::store::file::is_same;

/// Copy a repository from YAML to a database, or back
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The repository to copy
    #[arg(value_name = "FROM")]
    from: PathBuf,

    /// The copy: a database if its name ends in .tdb, else YAML
    #[arg(value_name = "TO")]
    to: PathBuf,

    /// Replace a repository that is there already
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` is there already", path.display())]
#[diagnostic(code(toy::convert::exists), help("name another file; `--force` replaces what it holds"))]
struct Exists {
    path: PathBuf,
}

impl Verb for ConvertArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        if is_same(&self.from, &self.to) || self.to.exists() && !self.force {
            return Err(Exists { path: self.to.clone() }.into());
        }
        let report = convert(&Repository::open(&self.from), &Repository::open_or_empty(&self.to))?;
        let (before, after) = (size(&self.from), size(&self.to));
        let json = json!({
            "fragments": report.fragments, "compilations": report.compilations, "links": report.links,
            "bytes": after, "input_bytes": before,
        });
        let (fragments, compilations) =
            (count(report.fragments, "fragment"), count(report.compilations, "compilation"));
        let links = count(report.links, "link record");
        Ok(Done::new(
            json,
            format!("{fragments}, {compilations}, {links}: {before} bytes, {after} in the copy\n"),
        ))
    }
}
