//! toystrip (toy strip): a copy of a repository that has only its digests.

use std::path::PathBuf;

use clap::Args;
use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use super::inputs::count;
use super::ui::{Done, Failure, Ui};
use super::{Verb, size};
use crate::store::Repository;
use crate::store::file::is_same;
use crate::strip::strip;

/// Copy a repository without its bodies, to send it to agents
#[derive(Debug, Args)]
pub struct StripArgs {
    /// The repository to copy
    #[arg(short, long, value_name = "FILE", default_value = "repo.yaml", env = "TOY_REPOSITORY")]
    input: PathBuf,

    /// The stripped copy, which is replaced if it exists
    #[arg(short, long, value_name = "FILE", default_value = "repoc.yaml")]
    output: PathBuf,
}

#[derive(Debug, Error, Diagnostic)]
#[error("`{}` cannot be stripped into itself: its bodies would be lost", path.display())]
#[diagnostic(code(toy::strip::in_place), help("`-o FILE` names another file for the copy"))]
struct InPlace {
    path: PathBuf,
}

impl Verb for StripArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        if is_same(&self.input, &self.output) {
            return Err(InPlace { path: self.input.clone() }.into());
        }
        let report = strip(&Repository::open(&self.input), &Repository::open_or_empty(&self.output))?;
        let (before, after) = (size(&self.input), size(&self.output));
        Ok(Done::new(
            json!({ "fragments": report.fragments, "bytes": after, "input_bytes": before }),
            format!(
                "{}: {} bytes, {after} without the bodies\n",
                count(report.fragments, "fragment"),
                before
            ),
        ))
    }
}
