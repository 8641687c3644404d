//! The story on the terminal: each command, what it did, and how many bytes moved.
//!
//! Colour only on a terminal, and not with `NO_COLOR`.

use std::io::{IsTerminal, Write, stdout};

use crate::text::{bytes, count};

use super::checks::Check;
use super::plan::Plan;
use super::report::{Compiled, Linked, Merged};
use super::site::Machine;

/// The codes of the few styles in use.
#[derive(Debug, Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Green,
    Red,
    Cyan,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "1;31",
            Self::Cyan => "36",
        }
    }
}

/// Tells the story, and keeps the commands for the page.
#[derive(Debug)]
pub(super) struct Narrator {
    colour: bool,
    commands: Vec<String>,
}

impl Narrator {
    /// A narrator for standard output.
    pub(super) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour: wanted && stdout().is_terminal(), commands: Vec::new() }
    }

    /// The commands since the last call.
    pub(super) fn take_commands(&mut self) -> Vec<String> {
        std::mem::take(&mut self.commands)
    }

    /// A plain line. That nobody listens any more is no reason to stop.
    pub(super) fn say(&self, line: &str) {
        let _ = writeln!(stdout(), "{line}");
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }

    /// The start of a round.
    pub(super) fn round(&self, plan: &Plan) {
        let title = format!("Round {}: {}", plan.number, plan.title);
        self.say(&format!("\n{}", self.paint(Style::Bold, &title)));
        self.say(&self.paint(Style::Dim, plan.purpose));
        let [first, second] = plan.jobs.each_ref().map(|job| job.directory);
        self.say(&self.paint(Style::Dim, &format!("host: host, agent1: {first}, agent2: {second}")));
    }

    /// The start of a step.
    pub(super) fn step(&self, number: usize, title: &str) {
        self.say(&format!("  {}", self.paint(Style::Bold, &format!("{number} {title}"))));
    }

    /// A command on a machine.
    pub(super) fn command(&mut self, machine: &Machine, line: &str) {
        let name = format!("{:<6}", machine.name);
        self.say(&format!("    {} $ {line}", self.paint(Style::Cyan, &name)));
        self.commands.push(format!("{name} $ {line}"));
    }

    /// What came of a command.
    pub(super) fn note(&self, text: &str) {
        self.say(&format!("             {}", self.paint(Style::Dim, text)));
    }

    /// Files that went from one machine to another, each lot with its size.
    pub(super) fn moved(&self, from: &Machine, to: &Machine, lots: &[(String, u64)]) {
        let way = self.paint(Style::Cyan, &format!("{:<6} → {:<6}", from.name, to.name));
        let lots: Vec<_> = lots.iter().map(|(names, size)| format!("{names} {}", bytes(*size))).collect();
        self.say(&format!("    {way}  {}", lots.join(", ")));
    }

    /// What `toystrip` did.
    pub(super) fn stripped(&self, digests: u64, before: u64, after: u64) {
        self.note(&format!("{} kept; {} became {}", count(digests, "digest"), bytes(before), bytes(after)));
    }

    /// What `toycc` did.
    pub(super) fn compiled(&self, report: &Compiled) {
        let procedures = count(report.procedures, "procedure");
        self.note(&format!("{procedures}: {} generated, {} reused", report.generated, report.reused));
    }

    /// What `toymerge` did.
    pub(super) fn merged(&self, report: &Merged) {
        let Merged { added, filled, identical, conflicts } = report;
        let fragments = format!("fragments: {added} added, {filled} filled, {identical} identical");
        self.note(&format!("{fragments}, {}", count(*conflicts, "conflict")));
    }

    /// What `toyld` did.
    pub(super) fn linked(&self, report: &Linked, size: u64) {
        let parts = [count(report.symbols, "symbol"), count(report.fragments, "fragment"), bytes(size)];
        self.note(&parts.join(", "));
    }

    /// What the program printed, on one line.
    pub(super) fn output(&self, output: &str) {
        let lines: Vec<_> = output.lines().collect();
        match lines.as_slice() {
            [start @ .., last] if start.len() > 5 => {
                self.note(&format!("{} · … · {last}", start[..5].join(" · ")));
            }
            lines => self.note(&lines.join(" · ")),
        }
    }

    /// Checks, one line each.
    pub(super) fn checks(&self, checks: &[Check]) {
        for check in checks {
            if check.kept {
                self.good(&check.claim);
            } else {
                self.bad(&format!("{}; found: {}", check.claim, check.found));
            }
        }
    }

    /// A promise that was kept.
    pub(super) fn good(&self, text: &str) {
        self.say(&format!("  {} {text}", self.paint(Style::Green, "✓")));
    }

    /// A promise that was not kept.
    pub(super) fn bad(&self, text: &str) {
        self.say(&format!("  {}", self.paint(Style::Red, &format!("✗ {text}"))));
    }
}
