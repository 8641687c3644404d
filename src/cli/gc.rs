//! toygc (toy gc): drops what no ticket and no executable needs.

use std::fmt::{Display, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::Verb;
use super::inputs::{RepositoryArg, count};
use super::ui::{Done, Failure, Ui};
use crate::gc::{Caution, Fate, GcPlan, Reasons, Roots, dry_run, gc};
use crate::store::{Company, Repository};

/// Drop what no ticket and no executable needs
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Tickets and executables to keep, or directories to look for them in [default: the repository's directory and the current one]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,

    #[command(flatten)]
    repository: RepositoryArg,

    /// Tell what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Empty the repository if nothing needs it, and pass over damaged tickets and executables
    #[arg(long)]
    force: bool,

    /// Say of everything why it is kept or dropped
    #[arg(short, long)]
    verbose: bool,
}

impl Verb for GcArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let repository = Repository::open(&self.repository.path);
        // From before it looks for tickets until it is done: a compiler whose ticket it did not see looks again.
        let _gate = if self.dry_run { None } else { repository.enter(Company::Alone)? };
        let caution = if self.force { Caution::Forced } else { Caution::Careful };
        let mut roots = Roots::find(&repository, &self.repository.path, &self.roots, caution)?;
        if self.roots.is_empty() {
            // The tools put what they make here.
            roots.look_below(Path::new("."), caution)?;
        }
        let reasons = if self.verbose { Reasons::Told } else { Reasons::Untold };
        let plan = match self.dry_run {
            true => dry_run(&repository, &roots, caution, reasons)?,
            false => gc(&repository, &roots, caution, reasons)?,
        };
        Ok(self.done(&plan, &roots))
    }
}

impl GcArgs {
    fn done(&self, plan: &GcPlan, roots: &Roots) -> Done {
        let (kept, dropped) = plan.fragment_counts();
        let (kept_compilations, dropped_compilations) = plan.compilation_counts();
        let (kept_links, dropped_links) = plan.link_counts();
        let mut json = json!({
            "kept": kept, "dropped": dropped,
            "kept_compilations": kept_compilations, "dropped_compilations": dropped_compilations,
            "kept_links": kept_links, "dropped_links": dropped_links,
            "roots": roots.found.len(), "passed_over": roots.passed_over, "dry_run": self.dry_run,
        });
        let mut text = String::new();
        for path in &roots.passed_over {
            // Writing to a string cannot fail.
            _ = writeln!(text, "passed over {path}, which is damaged");
        }
        if self.verbose {
            let reasons = [
                reasons("link record", plan.links.iter(), &mut text),
                reasons("compilation", plan.compilations.iter(), &mut text),
                reasons("fragment", plan.fragments.iter(), &mut text),
            ];
            json["reasons"] = reasons.into_iter().flatten().collect();
        }
        let (kept, dropped) = (count(kept, "fragment"), count(dropped, "fragment"));
        let would = if self.dry_run { "would be " } else { "" };
        _ = writeln!(
            text,
            "{kept} and {} {would}kept, {dropped} and {} {would}dropped; {}",
            count(kept_compilations, "compilation"),
            count(dropped_compilations, "compilation"),
            count(roots.found.len(), "root"),
        );
        Done::new(json, text)
    }
}

/// Says why: to people in `text`, to programs in what is given back.
fn reasons<'p, K: Display + 'p>(
    what: &str,
    fates: impl Iterator<Item = (&'p K, &'p Fate)>,
    text: &mut String,
) -> Vec<Value> {
    let mut all = Vec::new();
    for (key, fate) in fates {
        let (verdict, reason) = match fate {
            Fate::Kept(by) => ("kept", format!("needed by {by}")),
            Fate::Dropped(reason) => ("dropped", (*reason).to_owned()),
        };
        _ = writeln!(text, "{verdict:7} {what} {key:.16}: {reason}");
        let row = [
            ("what", what.to_owned()),
            ("key", key.to_string()),
            ("fate", verdict.to_owned()),
            ("reason", reason),
        ];
        all.push(
            row.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect::<Map<_, _>>().into(),
        );
    }
    all
}
