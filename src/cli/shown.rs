//! Problems as they are shown to people: where a line is too long to look at, its place is told in words.
//!
//! A line of a hundred thousand characters says nothing on a terminal, and would be there once for each problem in it.

use std::error::Error;
use std::fmt::{self, Display};

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};
use serde_json::{Value, json};

/// Longer lines are not shown, in bytes.
const WIDE: usize = 400;

/// A problem with sources only where their lines can be looked at.
#[derive(Debug)]
pub(super) struct Shown<'p> {
    problem: &'p dyn Diagnostic,
    related: Vec<Shown<'p>>,
    /// The places in words, where the lines are too long.
    notes: Option<Vec<String>>,
}

impl<'p> Shown<'p> {
    pub(super) fn new(problem: &'p dyn Diagnostic) -> Self {
        let related = problem.related().into_iter().flatten().map(Self::new).collect();
        let notes = is_wide(problem).then(|| places(problem).map(|place| note(&place)).collect());
        Self { problem, related, notes }
    }
}

/// Whether a problem is on, or beside, a line that is too long to be shown.
fn is_wide(problem: &dyn Diagnostic) -> bool {
    let Some(source) = problem.source_code() else { return false };
    let wide = |label: LabeledSpan| {
        let found = source.read_span(label.inner(), 1, 1);
        found.is_ok_and(|found| found.data().split(|byte| *byte == b'\n').any(|line| line.len() > WIDE))
    };
    problem.labels().into_iter().flatten().any(wide)
}

/// Where a problem is: file, line and column, counted from 1, and what there is to say there.
pub(super) fn places(problem: &dyn Diagnostic) -> impl Iterator<Item = Value> {
    let source = problem.source_code();
    problem.labels().into_iter().flatten().filter_map(move |label| {
        let found = source?.read_span(label.inner(), 0, 0).ok()?;
        let (line, column) = (found.line() + 1, found.column() + 1);
        Some(json!({ "file": found.name(), "line": line, "column": column, "label": label.label() }))
    })
}

fn note(place: &Value) -> String {
    let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
    format!("{}:{}:{}: {}", text("file"), place["line"], place["column"], text("label"))
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self.problem, f)
    }
}

impl Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.problem.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let Some(notes) = &self.notes else { return self.problem.help() };
        let help = self.problem.help().map(|help| help.to_string());
        let lines = notes.iter().cloned().chain(help).collect::<Vec<_>>();
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem.source_code().filter(|_| self.notes.is_none())
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.problem.labels().filter(|_| self.notes.is_none())
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.related.iter().map(|related| related as &dyn Diagnostic)))
    }
}
