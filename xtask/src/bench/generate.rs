//! Generated programs: realistic procedures, the same ones on every machine.
//!
//! The procedures form a tree of calls that all hangs from `main`, so everything is linked; how deep it is walked
//! is an argument that `main` keeps small, so the program ends at once.

use std::path::Path;

use crate::{Result, files};

const PER_FILE: usize = 100;
const VERBS: [&str; 8] = ["sum", "scale", "count", "pick", "fold", "weigh", "rank", "spread"];
const NOUNS: [&str; 9] =
    ["orders", "prices", "routes", "letters", "planes", "stones", "rivers", "readings", "tickets"];

/// How a program is cut into files, and how long it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Files, without the one that holds `main`.
    pub(super) files: usize,
    /// Bytes of source.
    pub(super) bytes: u64,
}

/// A version of a generated program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program {
    /// The number of the first procedure: programs with other numbers have nothing in common.
    first: usize,
    /// All procedures, `main` included.
    procedures: usize,
    /// Whether one procedure is changed.
    edited: bool,
}

impl Program {
    /// A program as it is at first.
    pub(super) const fn original(procedures: usize) -> Self {
        Self { first: 0, procedures, edited: false }
    }

    /// The same with one procedure changed, which agent 1 compiles.
    pub(super) const fn edited(procedures: usize) -> Self {
        Self { first: 0, procedures, edited: true }
    }

    /// A program whose procedures are numbered from `first`.
    pub(super) const fn block(first: usize, procedures: usize) -> Self {
        Self { first, procedures, edited: false }
    }

    /// The shape of a program with this many procedures.
    pub(super) fn shape(procedures: usize) -> Shape {
        let program = Self::original(procedures);
        let bytes = program.names().iter().map(|name| program.text(name).len() as u64).sum();
        Shape { files: program.files(), bytes }
    }

    /// Files without `main.toy`: at least one for each agent.
    fn files(&self) -> usize {
        self.procedures.div_ceil(PER_FILE).max(2)
    }

    /// The names of all files, `main.toy` last.
    pub(super) fn names(&self) -> Vec<String> {
        let parts = (0..self.files()).map(|number| format!("part{number:04}.toy"));
        parts.chain(["main.toy".to_owned()]).collect()
    }

    /// What the agents compile: half of the files each, and both `main.toy`.
    pub(super) fn shares(&self) -> [Vec<String>; 2] {
        let names = self.names();
        let (parts, main) = names.split_at(names.len() - 1);
        let (first, second) = parts.split_at(parts.len().div_ceil(2));
        [first, second].map(|share| [share, main].concat())
    }

    /// Writes some of the files.
    pub(super) fn write(&self, directory: &Path, names: &[String]) -> Result<()> {
        names.iter().try_for_each(|name| files::write(&directory.join(name), self.text(name)))
    }

    /// Whether a file is there as it would be written.
    pub(super) fn is_written(&self, directory: &Path, name: &str) -> bool {
        files::read_text(&directory.join(name)).is_ok_and(|text| text == self.text(name))
    }

    /// The text of a file.
    fn text(&self, name: &str) -> String {
        let number = name.trim_start_matches("part").trim_end_matches(".toy").parse::<usize>();
        let Ok(number) = number else { return main(&procedure_name(self.first)) };
        let called = self.procedures - 1;
        let bounds = [number, number + 1].map(|file| file * called / self.files());
        (bounds[0]..bounds[1]).map(|index| self.procedure(index)).collect::<Vec<_>>().join("\n")
    }

    /// All procedures but `main`, as one text.
    pub(super) fn library(&self) -> String {
        (0..self.procedures - 1).map(|index| self.procedure(index)).collect::<Vec<_>>().join("\n")
    }

    /// The names of a procedure and of those that it calls.
    pub(super) fn calls(&self, index: usize) -> (String, Vec<String>) {
        let children = [2 * index + 1, 2 * index + 2];
        let callees = children.into_iter().filter(|child| child + 1 < self.procedures);
        let name = |index| procedure_name(self.first + index);
        (name(index), callees.map(name).collect())
    }

    fn procedure(&self, index: usize) -> String {
        let (_, callees) = self.calls(index);
        // Different literals keep all bodies different, whatever their shape.
        let changed = usize::from(self.edited && index == 0) * 1_000_000;
        let index = self.first + index;
        Procedure { index, calls: calls(&callees), weight: index + changed + 2 }.text()
    }
}

fn main(root: &str) -> String {
    format!(
        "# Walks the first levels of the tree of calls.\nmain {{\n    \"result\" print\n    3 {root} print\n}}\n"
    )
}

fn procedure_name(index: usize) -> String {
    format!("{}_{}_{index}", VERBS[index % VERBS.len()], NOUNS[index % NOUNS.len()])
}

/// Code that takes a number and leaves one, by way of the callees.
fn calls(callees: &[String]) -> String {
    match callees {
        [one] => one.clone(),
        [one, two, ..] => format!("dup {one} exch {two} add"),
        [] => "3 mul".to_owned(),
    }
}

/// What one procedure is made of.
struct Procedure {
    index: usize,
    calls: String,
    weight: usize,
}

impl Procedure {
    fn text(&self) -> String {
        let name = procedure_name(self.index);
        let body =
            [Self::loop_body, Self::record_body, Self::choice_body, Self::table_body][self.index % 4](self);
        format!("# n {name} value\n{name} {{\n{body}}}\n")
    }

    fn noun(&self) -> &str {
        NOUNS[self.index % NOUNS.len()]
    }

    /// A small number that differs from procedure to procedure.
    const fn small(&self) -> usize {
        self.index * 7 % 12 + 3
    }

    fn loop_body(&self) -> String {
        let Self { weight, calls, .. } = self;
        let (small, noun) = (self.small(), self.noun());
        format!(
            "    # Adds up the {noun} from 1 to {small}, each with its weight.\n    0 1 1 {small} {{\n        \
             {weight} mul add\n    }} for\n    exch dup 0 eq\n    {{ pop }}\n    {{ 1 sub {calls} add }}\n    ifelse\n"
        )
    }

    fn record_body(&self) -> String {
        let Self { weight, calls, .. } = self;
        let (small, noun) = (self.small(), self.noun());
        format!(
            "    dict begin\n    \"depth\" exch def\n    \"label\" \"{noun} by weight\" def    # for the trace\n    \
             \"total\" {weight} {small} mul def\n    depth 0 eq\n    {{ total }}\n    \
             {{ depth 1 sub {calls} total add }}\n    ifelse\n    end\n"
        )
    }

    fn choice_body(&self) -> String {
        let Self { weight, calls, .. } = self;
        let (small, noun) = (self.small(), self.noun());
        format!(
            "    dup {small} eq {{ \"many {noun} were asked for\" pop }} if\n    dup 0 eq\n    {{ pop {weight} }}\n    \
             {{ 1 sub {calls} {small} sub }}\n    ifelse\n"
        )
    }

    fn table_body(&self) -> String {
        let Self { weight, calls, .. } = self;
        let small = self.small();
        format!(
            "    dict begin\n    \"low\" {small} def\n    \"high\" {weight} def\n    currentdict \"limit\" known\n    \
             {{ limit }}\n    {{ high low sub }}    # nobody set a limit\n    ifelse\n    end\n    exch dup 0 eq\n    \
             {{ pop }}\n    {{ 1 sub {calls} add 2 div }}\n    ifelse\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(program: Program) -> String {
        program.names().iter().map(|name| program.text(name)).collect()
    }

    #[test]
    fn a_program_has_as_many_procedures_as_were_asked_for() {
        for procedures in [2, 100, 1234] {
            let text = all(Program::original(procedures));
            assert_eq!(text.lines().filter(|line| *line == "}").count(), procedures);
        }
    }

    #[test]
    fn programs_with_other_numbers_have_no_procedure_in_common() {
        let [some, others] = [0, 1000].map(|first| Program::block(first, 200).library());
        let heads = |text: &str| -> Vec<String> {
            let heads = text.lines().filter(|line| line.ends_with(" {") && !line.starts_with([' ', '#']));
            heads.map(str::to_owned).collect()
        };
        assert_eq!(heads(&some).len(), 199);
        assert!(heads(&some).iter().all(|head| !heads(&others).contains(head)));
        assert!(all(Program::block(1000, 200)).contains("3 sum_prices_1000 print"));
    }

    #[test]
    fn every_procedure_is_called_and_defined_once() {
        let text = all(Program::original(300));
        let words: Vec<_> =
            text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
        for name in (0..299).map(procedure_name) {
            assert_eq!(words.iter().filter(|word| **word == name).count(), 2, "{name}");
        }
    }

    #[test]
    fn an_edit_changes_one_line_of_agent_1() {
        let [original, edited] = [Program::original(300), Program::edited(300)];
        let names = original.names();
        let changed: Vec<_> = names.iter().filter(|name| original.text(name) != edited.text(name)).collect();
        assert_eq!(changed, [&original.shares()[0][0]]);
        let lines = |program: Program| all(program).lines().map(str::to_owned).collect::<Vec<_>>();
        let different = lines(original).into_iter().zip(lines(edited)).filter(|(a, b)| a != b);
        assert_eq!(different.count(), 1);
    }
}
