//! The stacks that were seen so far, and their times.
//!
//! Deliberately absent: where an instruction stood in a procedure; of that only the line is kept.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::{Cost, Line, Node};
use crate::vm::names::NameId;
use crate::vm::program::Program;

/// One entry of a stack: a procedure, or what is left out between others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    Called(NameId, Option<Line>),
    Omitted,
}

impl Entry {
    fn name(self) -> Option<NameId> {
        match self {
            Self::Called(name, _) => Some(name),
            Self::Omitted => None,
        }
    }

    fn line(self) -> Option<Line> {
        match self {
            Self::Called(_, line) => line,
            Self::Omitted => None,
        }
    }
}

/// A forest of stacks.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// The node of a name below another node.
    indices: HashMap<(Option<u32>, Option<NameId>), u32>,
    /// The parent, the name and the own time of each node.
    nodes: Vec<(Option<u32>, Option<NameId>, Duration)>,
    lines: HashMap<Line, Seen>,
    pub(super) samples: u64,
}

/// The cost of a line, and the last sample in which it was.
#[derive(Debug, Default)]
struct Seen {
    cost: Cost,
    sample: u64,
}

impl Stacks {
    /// Adds a stack, outermost first, that took so much time.
    pub(super) fn add(&mut self, stack: &[Entry], time: Duration) {
        self.samples += 1;
        self.credit(stack.iter().map(|entry| entry.name()), time);
        for line in stack.iter().filter_map(|entry| entry.line()) {
            let seen = self.lines.entry(line).or_default();
            if seen.sample != self.samples {
                seen.sample = self.samples;
                seen.cost.total += time;
            }
        }
        if let Some(line) = stack.last().and_then(|entry| entry.line()) {
            self.lines.entry(line).or_default().cost.own += time;
        }
    }

    /// Adds time to the last of some names, each called by the one before it.
    pub(super) fn credit(&mut self, stack: impl Iterator<Item = Option<NameId>>, time: Duration) {
        let innermost = stack.fold(None, |parent, name| Some(self.node(parent, name)));
        if let Some((_, _, own)) = innermost.and_then(|node| self.nodes.get_mut(node as usize)) {
            *own += time;
        }
    }

    fn node(&mut self, parent: Option<u32>, name: Option<NameId>) -> u32 {
        let nodes = &mut self.nodes;
        *self.indices.entry((parent, name)).or_insert_with(|| {
            nodes.push((parent, name, Duration::ZERO));
            nodes.len() as u32 - 1
        })
    }

    /// The nodes with their names, and the lines.
    pub(super) fn finish(self, program: &Program) -> (Vec<Node>, BTreeMap<Line, Cost>) {
        let node = |(parent, name, own): (Option<u32>, Option<NameId>, Duration)| Node {
            parent: parent.map(|parent| parent as usize),
            name: name.map(|name| program.names().text(name).clone()),
            own,
        };
        let lines = self.lines.into_iter().map(|(line, seen)| (line, seen.cost));
        (self.nodes.into_iter().map(node).collect(), lines.collect())
    }
}
