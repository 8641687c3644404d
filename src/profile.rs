//! Profile: where a program's time goes, by the procedures in execution and the instructions that they execute.
//!
//! [`Sampler::run`] drives a machine to its end, and looks at it about two thousand times a second; [`Profile`] is what
//! it saw. Deliberately absent: any change of what the program does, lines of sources, and how a profile is shown.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

mod clock;
mod sampler;
mod stacks;

pub use sampler::{INNERMOST, OUTERMOST, Sampler};

/// What a run cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The CPU time of the whole run.
    pub time: Duration,
    /// The steps of the whole run; unlike times, a function of the program and its input.
    pub steps: u64,
    /// How often the machine was looked at.
    pub samples: u64,
    /// The stacks of procedures that were seen, as a forest in which parents stand before their children.
    pub nodes: Vec<Node>,
    /// The lines that were being executed in any of the procedures of a stack.
    pub lines: BTreeMap<Line, Cost>,
}

/// A procedure that was called by what its parent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Index of the caller; none of what the program started with.
    pub parent: Option<usize>,
    /// The name by which it was called; none for the middle of a stack that is too deep to be shown.
    pub name: Option<Arc<str>>,
    /// Time in the procedure itself.
    pub own: Duration,
}

/// A line of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// The source, by a number of the caller's.
    pub source: u32,
    /// The line, from 1.
    pub line: u32,
}

/// Time in something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// In it alone.
    pub own: Duration,
    /// In it and in what it called, counted once however often it is in a stack.
    pub total: Duration,
}

impl Profile {
    /// What each procedure cost, by name.
    pub fn procedures(&self) -> BTreeMap<Arc<str>, Cost> {
        let mut procedures = BTreeMap::<_, Cost>::new();
        for (at, node) in self.nodes.iter().enumerate().filter(|(_, node)| !node.own.is_zero()) {
            if let Some(name) = &node.name {
                procedures.entry(Arc::clone(name)).or_default().own += node.own;
            }
            for name in self.stack(at).filter_map(|node| node.name.as_ref()).collect::<HashSet<_>>() {
                procedures.entry(Arc::clone(name)).or_default().total += node.own;
            }
        }
        procedures
    }

    /// A node and its callers, innermost first.
    pub fn stack(&self, node: usize) -> impl Iterator<Item = &Node> {
        let parent = |node: &&Node| node.parent.and_then(|parent| self.nodes.get(parent));
        std::iter::successors(self.nodes.get(node), parent)
    }

    /// Whether some stack was too deep to be shown whole.
    pub fn is_cut(&self) -> bool {
        self.nodes.iter().any(|node| node.name.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(parent: Option<usize>, name: &str, micros: u64) -> Node {
        Node { parent, name: Some(name.into()), own: Duration::from_micros(micros) }
    }

    #[test]
    fn a_recursive_procedure_counts_once_in_a_stack() {
        let nodes = vec![
            node(None, "main", 1),
            node(Some(0), "fib", 10),
            node(Some(1), "fib", 100),
            node(Some(2), "add_up", 1000),
            node(Some(0), "add_up", 10000),
        ];
        let profile = Profile { nodes, ..Profile::default() };
        let costs = profile.procedures().into_iter();
        let costs =
            costs.map(|(name, cost)| (name.to_string(), cost.own.as_micros(), cost.total.as_micros()));
        let expected = [("add_up", 11000, 11000), ("fib", 110, 1110), ("main", 1, 11111)];
        assert_eq!(
            costs.collect::<Vec<_>>(),
            expected.map(|(name, own, total)| (name.to_owned(), own, total))
        );
        assert!(!profile.is_cut());
    }
}
