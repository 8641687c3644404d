//! Streams: reports to standard output, as text or JSON; problems to standard error, as diagnostics.

use std::fmt;
use std::io::{self, Write as _};

use miette::{Diagnostic, MietteHandler, MietteHandlerOpts, Report, ReportHandler as _};
use serde_json::{Value, json};
use thiserror::Error;

use super::Common;
use super::shown::{Shown, places};

/// When problems are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a verb did.
#[derive(Debug)]
pub struct Done {
    /// The report for programs.
    pub json: Value,
    /// The report for people.
    pub text: String,
    /// What people are told on standard error, because standard output is somebody else's.
    pub aside: String,
    /// What was wrong all the same; any makes the exit status 1.
    pub problems: Vec<Report>,
    /// What is worth knowing; does not change the exit status.
    pub warnings: Vec<Report>,
}

impl Done {
    /// A verb that did all that it was asked to do.
    pub fn new(json: Value, text: String) -> Self {
        Self { json, text, aside: String::new(), problems: Vec::new(), warnings: Vec::new() }
    }
}

/// Why a verb did nothing, or not all.
#[derive(Debug)]
pub enum Failure {
    /// Problems in the input.
    Problems(Vec<Report>),
    /// Arguments that make no sense together.
    Usage(clap::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl<E: Diagnostic + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Problems(vec![error.into()])
    }
}

/// Where reports and problems go.
pub struct Ui {
    json: bool,
    quiet: bool,
    color: Color,
}

/// Whether the user wants no colours, whatever else the environment says.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[derive(Debug, Error, Diagnostic)]
#[error("cannot write the output")]
#[diagnostic(code(toy::cli::output))]
struct OutputProblem(#[source] io::Error);

/// The exit status of a verb that had a problem.
const PROBLEM: u8 = 1;

impl Ui {
    /// The streams as the options of every verb want them.
    pub fn new(common: &Common) -> Self {
        Self { json: common.json, quiet: common.quiet, color: common.color }
    }

    /// How problems are drawn. It looks at the terminal, which who has no problem need not.
    fn handler(&self) -> MietteHandler {
        let options = match self.color {
            Color::Auto if no_color() => MietteHandlerOpts::new().color(false),
            Color::Auto => MietteHandlerOpts::new(),
            Color::Always => MietteHandlerOpts::new().color(true),
            Color::Never => MietteHandlerOpts::new().color(false),
        };
        options.build()
    }

    /// Whether the report is to be JSON, so that nothing else may go to standard output.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether anybody will see the report.
    pub fn has_report(&self) -> bool {
        self.json || !self.quiet
    }

    /// Shows what a verb gave back, and says what the exit status is.
    pub fn finish(&self, result: Result<Done, Failure>) -> u8 {
        let (done, written) = match result {
            Ok(done) => (done, Ok(())),
            Err(Failure::Problems(problems)) => {
                (Done { problems, ..Done::new(json!({}), String::new()) }, Ok(()))
            }
            Err(Failure::Output(error)) => (Done::new(json!({}), String::new()), Err(error)),
            Err(Failure::Usage(error)) => {
                _ = error.print();
                return 2;
            }
        };
        let status = if done.problems.is_empty() { 0 } else { PROBLEM };
        self.show_problems(&done.warnings, "warnings");
        self.show_problems(&done.problems, "problems");
        match written.and_then(|()| self.show_report(done)) {
            Ok(()) => status,
            // Whoever reads our output has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
            Err(error) => {
                self.show_problems(&[OutputProblem(error).into()], "problems");
                PROBLEM
            }
        }
    }

    fn show_report(&self, done: Done) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            let mut json = done.json;
            for (key, problems) in [("warnings", &done.warnings), ("errors", &done.problems)] {
                if let (Some(object), false) = (json.as_object_mut(), problems.is_empty()) {
                    let problems = problems.iter().map(|problem| describe(&**problem));
                    object.insert(key.to_owned(), problems.collect());
                }
            }
            writeln!(out, "{json}")?;
        } else if !self.quiet {
            io::stderr().write_all(done.aside.as_bytes())?;
            out.write_all(done.text.as_bytes())?;
        }
        out.flush()
    }

    fn show_problems(&self, problems: &[Report], what: &str) {
        if problems.is_empty() {
            return;
        }
        let handler = self.handler();
        let mut err = io::stderr().lock();
        for problem in problems.iter().take(MOST_PROBLEMS) {
            // Where problems cannot be shown there is nothing left to do about it.
            _ = writeln!(err, "{}", Rendered { handler: &handler, problem: Shown::new(&**problem) });
        }
        if problems.len() > MOST_PROBLEMS {
            _ = writeln!(err, "and {} more {what}", problems.len() - MOST_PROBLEMS);
        }
    }
}

/// So many problems are told to people; `--json` has all.
const MOST_PROBLEMS: usize = 100;

struct Rendered<'r> {
    handler: &'r MietteHandler,
    problem: Shown<'r>,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handler.debug(&self.problem, f)
    }
}

/// A problem for programs.
fn describe(problem: &dyn Diagnostic) -> Value {
    let related = problem.related().into_iter().flatten().map(describe).collect::<Vec<_>>();
    let mut value = json!({
        "code": problem.code().map(|code| code.to_string()),
        "message": problem.to_string(),
        "help": problem.help().map(|help| help.to_string()),
    });
    for (key, rows) in [("places", places(problem).collect()), ("related", related)] {
        if let (Some(object), false) = (value.as_object_mut(), rows.is_empty()) {
            object.insert(key.to_owned(), rows.into());
        }
    }
    value
}
