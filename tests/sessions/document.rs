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
    /// Runs a command.
    Run(Command),
}

/// A command, and where the text says what it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// What `sh` is to run.
    pub(crate) line: String,
    /// The number of its line in the text.
    pub(crate) number: usize,
    expected: Range<usize>,
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

    /// All steps, in the order of the text.
    pub(crate) fn steps(&self) -> io::Result<Vec<Step>> {
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some(line) = self.lines.get(at) {
            at += 1;
            if let Some(directory) = files_comment(line) {
                steps.push(Step::Copy { directory: directory.to_owned() });
            }
            let Some(info) = line.strip_prefix("```") else { continue };
            let length = self.lines[at..].iter().position(|line| line == "```");
            let length = length.ok_or_else(|| self.error(at, "the block does not end"))?;
            let block = at..at + length;
            at = block.end + 1;
            if info == "console" {
                self.commands(block, &mut steps)?;
            } else if let Some((_, file)) = info.split_once(' ') {
                let text = self.lines[block].iter().map(|line| format!("{line}\n")).collect();
                steps.push(Step::Write { file: file.to_owned(), text });
            }
        }
        Ok(steps)
    }

    fn commands(&self, block: Range<usize>, steps: &mut Vec<Step>) -> io::Result<()> {
        let is_command = |at: &usize| self.lines[*at].starts_with("$ ");
        let starts = block.clone().filter(is_command).collect::<Vec<_>>();
        if starts.first() != Some(&block.start) {
            return Err(self.error(block.start + 1, "a console block starts with a command"));
        }
        let ends = starts.iter().skip(1).copied().chain([block.end]);
        for (start, end) in starts.iter().copied().zip(ends) {
            let more = self.lines[start + 1..end].iter().take_while(|line| line.starts_with("> ")).count();
            let parts = self.lines[start..=start + more].iter().map(|line| &line[2..]);
            let line = parts.collect::<Vec<_>>().join("\n");
            steps.push(Step::Run(Command { line, number: start + 1, expected: start + more + 1..end }));
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

    /// Remembers what a command wrote. Lines that were expected as they came stay as they are.
    pub(crate) fn set_actual(&mut self, command: &Command, actual: &[String]) {
        let expected = &self.lines[command.expected.clone()];
        let kept = actual.iter().enumerate().map(|(at, line)| match expected.get(at) {
            Some(pattern) if fits(pattern, line) => pattern.clone(),
            _ => line.clone(),
        });
        self.actual.push((command.expected.clone(), kept.collect()));
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

fn files_comment(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- files: ")?.strip_suffix(" -->")
}

/// Whether these lines came as they were expected.
pub(crate) fn matches(expected: &[String], actual: &[String]) -> bool {
    expected.len() == actual.len() && expected.iter().zip(actual).all(|(pattern, line)| fits(pattern, line))
}

/// Whether a line is what a pattern says, in which `[..]` stands for anything.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.any(|at| fits(rest, &line[at..]))
}
