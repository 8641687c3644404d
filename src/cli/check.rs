//! toy check: finds all damage in a repository.

use clap::Args;
use miette::Diagnostic;
use serde_json::json;
use thiserror::Error;

use super::Verb;
use super::inputs::{RepositoryArg, count};
use super::ui::{Done, Failure, Ui};
use crate::check::{CheckReport, Problem, check, repair};
use crate::store::Repository;

/// Find all damage in a repository
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// Drop what is damaged; the next compile makes it again
    #[arg(long)]
    repair: bool,
}

#[derive(Debug, Error, Diagnostic)]
#[error("{} in `{repository}`", count(*.problems, "problem"))]
#[diagnostic(
    code(toy::check::damaged),
    help("`--repair` drops what is damaged; the next compile makes it again")
)]
struct Damaged {
    repository: String,
    problems: usize,
    #[related]
    all: Vec<Found>,
}

/// A problem as a diagnostic.
#[derive(Debug, Error)]
#[error("{}{message}", in_line(*.line))]
struct Found {
    code: &'static str,
    line: Option<usize>,
    message: String,
}

impl Diagnostic for Found {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }
}

/// The line that a problem is in, if it is in one.
fn in_line(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

impl Verb for CheckArgs {
    fn run(&self, _: &Ui) -> Result<Done, Failure> {
        let repository = Repository::open(&self.repository.path);
        let report = if self.repair { repair(&repository)? } else { check(&repository)? };
        let mut done = Done::new(json(&report, self.repair), text(&report, self.repair));
        if !report.problems.is_empty() && !self.repair {
            let found = |Problem { code, line, message }| Found { code, line, message };
            let problems = report.problems.len();
            let all = report.problems.into_iter().map(found).collect();
            done.problems.push(Damaged { repository: repository.origin().to_owned(), problems, all }.into());
        }
        Ok(done)
    }
}

fn json(report: &CheckReport, repaired: bool) -> serde_json::Value {
    let problem =
        |Problem { code, line, message }: &Problem| json!({ "code": code, "line": line, "message": message });
    json!({
        "fragments": report.fragments, "compilations": report.compilations, "links": report.links,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(), "repaired": repaired,
    })
}

fn text(report: &CheckReport, repaired: bool) -> String {
    let looked_at = format!(
        "{}, {}, {}",
        count(report.fragments, "fragment"),
        count(report.compilations, "compilation"),
        count(report.links, "link record")
    );
    match report.problems.len() {
        0 => format!("{looked_at}: no problem\n"),
        _ if !repaired => String::new(),
        problems => {
            let lines = report
                .problems
                .iter()
                .map(|Problem { code, line, message }| format!("  {code}: {}{message}\n", in_line(*line)));
            let dropped = count(problems, "problem");
            format!(
                "{looked_at}: {dropped} mended by dropping what was damaged\n{}",
                lines.collect::<String>()
            )
        }
    }
}
