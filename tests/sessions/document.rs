//! A Markdown text with files to write, commands to run, and what these are expected to write.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A text, line by line.
pub(crate) struct Document {
    path: PathBuf,
    lines: Vec<String>,
    /// What came, in place of what was expected in a range of lines.
    actual: Vec<(Range<usize>, Vec<String>)>,
}

/// Something to carry out.
pub(crate) enum Step {
    /// Writes a file.
    Write { file: String, text: String },
    /// Copies the files of a directory of the project.
    Copy { directory: String },
    /// Gives a file of toy's that was edited the digest that fits its bytes.
    Seal { file: String },
    /// Runs a command that readers do not see, and that writes nothing.
    Prepare { line: String },
    /// Runs a command.
    Run(Command),
}

/// What starts a line with a command.
const PROMPT: &str = "$ ";

/// A command, and where the text says what it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// What `sh` is to run.
    pub(crate) line: String,
    /// The directory to run it in; without one, the directory of the session.
    pub(crate) directory: Option<String>,
    /// The number of its line in the text.
    pub(crate) number: usize,
    /// Whether it says nothing about databases.
    pub(crate) is_only_yaml: bool,
    pub(crate) expected: Range<usize>,
}

impl Document {
    /// Reads a text.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Self { path: path.to_owned(), lines, actual: Vec::new() })
    }

    /// Whether there is anything to run.
    pub(crate) fn has_commands(&self) -> bool {
        self.lines.iter().any(|line| line == "```console")
    }

    /// Whether the text says that it is about YAML and nothing else.
    pub(crate) fn is_only_yaml(&self) -> bool {
        self.lines.iter().any(|line| comment(line, "only yaml").is_some())
    }

    /// All steps, in the order of the text.
    pub(crate) fn steps(&self) -> io::Result<Vec<Step>> {
        let mut steps = Vec::new();
        let (mut at, mut is_only_yaml) = (0, false);
        while let Some(line) = self.lines.get(at) {
            at += 1;
            if let Some(directory) = comment(line, "files") {
                steps.push(Step::Copy { directory: directory.to_owned() });
            }
            if let Some(file) = comment(line, "seal") {
                steps.push(Step::Seal { file: file.to_owned() });
            }
            is_only_yaml |= comment(line, "next only yaml").is_some();
            if let Some(line) = comment(line, "run") {
                steps.push(Step::Prepare { line: line.to_owned() });
            }
            let Some(info) = line.strip_prefix("```") else { continue };
            let length = self.lines[at..].iter().position(|line| line == "```");
            let length = length.ok_or_else(|| self.error(at, "the block does not end"))?;
            let block = at..at + length;
            at = block.end + 1;
            if info == "console" {
                self.commands(block, is_only_yaml, &mut steps)?;
                is_only_yaml = false;
            } else if let Some((_, file)) = info.split_once(' ') {
                let text = self.lines[block].iter().map(|line| format!("{line}\n")).collect();
                steps.push(Step::Write { file: file.to_owned(), text });
            }
        }
        Ok(steps)
    }

    fn commands(&self, block: Range<usize>, is_only_yaml: bool, steps: &mut Vec<Step>) -> io::Result<()> {
        let starts = block.clone().filter(|at| command(&self.lines[*at]).is_some()).collect::<Vec<_>>();
        if starts.first() != Some(&block.start) {
            return Err(self.error(block.start + 1, "a console block starts with a command"));
        }
        let ends = starts.iter().skip(1).copied().chain([block.end]);
        for (start, end) in starts.iter().copied().zip(ends) {
            let more = self.lines[start + 1..end].iter().map_while(|line| line.strip_prefix("> "));
            let more = more.collect::<Vec<_>>();
            let Some((directory, first)) = command(&self.lines[start]) else { continue };
            let expected = start + 1 + more.len()..end;
            let line = [&[first], &*more].concat().join("\n");
            steps.push(Step::Run(Command { line, directory, number: start + 1, is_only_yaml, expected }));
        }
        Ok(())
    }

    fn error(&self, line: usize, message: &str) -> io::Error {
        io::Error::other(format!("{}:{line}: {message}", self.path.display()))
    }

    /// What a command is expected to write.
    pub(crate) fn expected(&self, command: &Command) -> Vec<String> {
        self.lines[command.expected.clone()].to_vec()
    }

    /// Remembers what a command wrote in place of what was expected of it.
    pub(crate) fn set_actual(&mut self, command: &Command, actual: &[String]) {
        self.actual.push((command.expected.clone(), actual.to_vec()));
    }

    /// Writes the text with what came in place of what was expected.
    pub(crate) fn write(mut self) -> io::Result<()> {
        // From the end, so that the ranges before stay right.
        for (range, lines) in self.actual.into_iter().rev() {
            self.lines.splice(range, lines);
        }
        fs::write(self.path, self.lines.iter().map(|line| format!("{line}\n")).collect::<String>())
    }
}

/// What a comment of this kind says.
fn comment<'l>(line: &'l str, kind: &str) -> Option<&'l str> {
    line.strip_prefix("<!-- ")?.strip_prefix(kind)?.strip_prefix(": ")?.strip_suffix(" -->")
}

/// The command in a line such as `$ toycc main.toy` or `agent1 $ toycc main.toy`, and its directory.
fn command(line: &str) -> Option<(Option<String>, &str)> {
    if let Some(command) = line.strip_prefix(PROMPT) {
        return Some((None, command));
    }
    let (directory, command) = line.split_once(&format!(" {PROMPT}"))?;
    let is_name = directory.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_name.then(|| (Some(directory.to_owned()), command))
}

/// Whether these lines came as they were expected. A line `…` stands for any lines, and blank lines at the end
/// mean nothing.
pub(crate) fn matches(expected: &[String], actual: &[String]) -> bool {
    let (expected, actual) = (without_blank_end(expected), without_blank_end(actual));
    let Some((first, rest)) = expected.split_first() else { return actual.is_empty() };
    if first == "…" {
        return (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]));
    }
    actual.split_first().is_some_and(|(line, lines)| fits(first, line) && matches(rest, lines))
}

fn without_blank_end(lines: &[String]) -> &[String] {
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    &lines[..end]
}

/// Whether a line is what a pattern says, in which `[..]` stands for anything.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.any(|at| fits(rest, &line[at..]))
}
