//! The steps of a text with databases in place of YAML repositories, and what is written without what may differ.
//!
//! A database's name has as many characters as the name in the text, so that lines are broken at the same places.

use super::document::{Command, Step};

/// The name of the repository that is used when none is named.
pub(crate) const DEFAULT: &str = "repo_.tdb";

const YAML: &str = ".yaml";
const DATABASE: &str = "_.tdb";

/// The same step with databases. Executables stay readable, as they are by default beside a readable repository.
pub(crate) fn step(step: Step) -> Step {
    let on_database = |text: &str| readable(&text.replace(YAML, DATABASE));
    match step {
        Step::Write { file, text } if file.contains(".toy") => Step::Write { file, text },
        Step::Write { file, text } => Step::Write { file, text: on_database(&text) },
        Step::Prepare { line } => Step::Prepare { line: on_database(&line) },
        Step::Run(command) => Step::Run(Command { line: on_database(&command.line), ..command }),
        other => other,
    }
}

/// Adds the format to each command that links, unless there is one.
fn readable(text: &str) -> String {
    let mut text = text.to_owned();
    if !text.contains("--format") {
        for tool in ["toyld ", "toylink ", "toy link "] {
            text = text.replace(tool, &format!("{tool}--format yaml "));
        }
    }
    text
}

/// A line without the numbers that tell how large a repository is, and with the names of the text.
pub(crate) fn without_sizes(line: &str) -> String {
    let mut rest = &*line.replace(DATABASE, YAML);
    let mut without = String::new();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let (number, after) =
            number.split_at(number.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(number.len()));
        let is_size = after.starts_with(" byte") || before.ends_with("bytes\":");
        without += before;
        without += if is_size { "N" } else { number };
        rest = after;
    }
    without + rest
}
