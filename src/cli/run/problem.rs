//! What can be wrong when a program runs, as diagnostics.

use std::fmt::{Display, Write as _};
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::debug_info::DebugInfo;
use crate::vm::trap::{OUTERMOST, Trap};

/// `--entry` names a procedure that is not in the program.
#[derive(Debug, Error, Diagnostic)]
#[error("the program has no procedure `{name}`")]
#[diagnostic(code(toy::run::entry))]
pub(super) struct NoSuchProcedure {
    pub(super) name: String,
    #[help]
    pub(super) help: String,
}

/// The program's standard input cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error("standard input cannot be read")]
#[diagnostic(code(toy::run::input), help("`readline` reads it; give the program a file or `/dev/null`"))]
pub(super) struct Unreadable {
    #[source]
    pub(super) error: std::io::Error,
}

/// An uncaught error of a program, with all that is known of how it came to it.
#[derive(Debug, Error)]
#[error("{trap}")]
pub(super) struct TrapProblem {
    trap: Trap,
    details: String,
}

impl TrapProblem {
    /// A trap with what is known of it from `named`, the repository that the user named, or from any other.
    pub(super) fn new(trap: Trap, info: &DebugInfo, named: Option<&Path>) -> Self {
        let mut details = calls(&trap, info);
        details.push_str(&operands(&trap));
        if let Some(limit) = trap.limit {
            details.push_str(&format!(
                "`--{}` sets the limit
",
                limit.name.replace('_', "-")
            ));
        }
        match trap.place() {
            Some(_) if info.is_empty() => details.push_str(&no_repository(named)),
            Some(call) if !info.has_lines(call) => details.push_str(NO_LINES),
            _ => {}
        }
        Self { details: details.trim_end().to_owned(), trap }
    }
}

/// What is said when a program was compiled without line tables.
pub(super) const NO_LINES: &str = "compile with `-g` to see the line";

/// What is said when no repository knows the program.
pub(super) fn no_repository(named: Option<&Path>) -> String {
    match named {
        Some(path) => format!("`{}` is no repository that has its lines", path.display()),
        None => "no repository with its lines was found; `-r FILE` names one".to_owned(),
    }
}

fn calls(trap: &Trap, info: &DebugInfo) -> String {
    let mut text = "calls, innermost first:\n".to_owned();
    let outer =
        if trap.calls_omitted > 0 { trap.calls.len().saturating_sub(OUTERMOST) } else { trap.calls.len() };
    for (at, call) in trap.calls.iter().enumerate() {
        if at == outer {
            _ = writeln!(text, "  … {} more", trap.calls_omitted);
        }
        let place = info.place(call).map(|place| format!(" at {place}")).unwrap_or_default();
        _ = writeln!(text, "  {}{place}", call.name);
    }
    text
}

fn operands(trap: &Trap) -> String {
    if trap.stack.is_empty() {
        return "the operand stack is empty\n".to_owned();
    }
    let more =
        if trap.stack_omitted > 0 { format!(" … {} more", trap.stack_omitted) } else { String::new() };
    format!("operands, top first: {}{more}\n", trap.stack.join(" "))
}

impl Diagnostic for TrapProblem {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.trap.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let meaning = self.trap.help().map(|meaning| format!("{meaning}\n")).unwrap_or_default();
        Some(Box::new(format!("{meaning}{}", self.details)))
    }
}
