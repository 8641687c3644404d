//! toymerge (toy merge): adds what other repositories have.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Verb;
use super::inputs::{RepositoryArg, count};
use super::ui::{Done, Failure, Ui};
use crate::merge::{MergeError, MergeReport, dry_run, merge};
use crate::store::Repository;
use crate::store::file::is_same;

/// Add what other repositories have to one's own
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The repositories to take from
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,

    #[command(flatten)]
    repository: RepositoryArg,

    /// Tell what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Verb for MergeArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let target = Repository::open_or_empty(&self.repository.path);
        // What is merged into itself stays as it is.
        let others = self.inputs.iter().filter(|path| !is_same(path, &self.repository.path));
        let sources = others.map(|path| Repository::open(path)).collect::<Vec<_>>();
        match if self.dry_run { dry_run(&target, &sources) } else { merge(&target, &sources) } {
            Ok(report) => Ok(done(&report)),
            Err(error @ MergeError::Conflicts(..)) => {
                let report = error.report().cloned().unwrap_or_default();
                Ok(Done { text: String::new(), problems: vec![error.into()], ..done(&report) })
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn done(report: &MergeReport) -> Done {
    let MergeReport { added, filled, identical, known, compilations, links, conflicts } = report;
    let json = json!({
        "added": added, "filled": filled, "identical": identical, "known": known,
        "compilations": compilations, "links": links, "conflicts": conflicts.len(),
    });
    let text = format!(
        "{} added, {filled} filled, {identical} identical{}; {}, {} added\n",
        count(*added, "fragment"),
        if *known == 0 { String::new() } else { format!(", {known} known without a body") },
        count(*compilations, "compilation"),
        count(*links, "link record"),
    );
    Done::new(json, text)
}
