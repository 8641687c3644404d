//! Fixups: a fragment's references to names.

use std::collections::HashMap;
use std::sync::Arc;

/// How a fragment refers to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FixupKind {
    /// The code executes the name: somebody must define it.
    Strong,
    /// The code pushes a string, which could name a procedure at run time: it keeps such a procedure, and its
    /// absence is no error.
    Weak,
}

/// One reference from a fragment. Instructions name it by its index in [`Fixups`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fixup {
    /// How the name is used.
    pub kind: FixupKind,
    /// The name (an identifier when strong, any string when weak).
    pub target: Arc<str>,
}

/// A fragment's fixups, each once, in the order in which the code first uses them.
#[derive(Debug, Clone, Default)]
pub struct Fixups {
    all: Vec<Fixup>,
    /// Where each one is, by kind and target, once there are many.
    indices: [HashMap<Arc<str>, u32>; 2],
}

impl PartialEq for Fixups {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Eq for Fixups {}

/// Up to so many fixups, as most procedures have, a walk over them is faster than hashing.
const FEW: usize = 16;

impl Fixups {
    /// No fixups, and room for so many.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { all: Vec::with_capacity(capacity), ..Self::default() }
    }

    /// The index of a fixup, which is added when it is new.
    pub fn intern(&mut self, kind: FixupKind, target: &str) -> u32 {
        self.find(kind, target).unwrap_or_else(|| self.add(Fixup { kind, target: target.into() }))
    }

    fn find(&self, kind: FixupKind, target: &str) -> Option<u32> {
        if self.all.len() > FEW {
            return self.indices[kind as usize].get(target).copied();
        }
        let same = |fixup: &Fixup| fixup.kind == kind && &*fixup.target == target;
        self.all.iter().position(same).map(|at| at as u32)
    }

    fn add(&mut self, fixup: Fixup) -> u32 {
        self.all.push(fixup);
        let first = match self.all.len() {
            ..=FEW => return self.all.len() as u32 - 1,
            many if many == FEW + 1 => 0,
            many => many - 1,
        };
        for (at, fixup) in self.all.iter().enumerate().skip(first) {
            self.indices[fixup.kind as usize].insert(Arc::clone(&fixup.target), at as u32);
        }
        self.all.len() as u32 - 1
    }

    /// The fixups by index.
    pub fn as_slice(&self) -> &[Fixup] {
        &self.all
    }

    /// The fixup at an index.
    pub fn get(&self, index: u32) -> Option<&Fixup> {
        self.all.get(index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixup_has_one_index_however_many_there_are() {
        let mut fixups = Fixups::default();
        for round in 0..2 {
            for number in 0..100 {
                let kind = if number % 3 == 0 { FixupKind::Weak } else { FixupKind::Strong };
                assert_eq!(fixups.intern(kind, &format!("f{number}")), number, "round {round}");
            }
        }
        assert_eq!(fixups.intern(FixupKind::Strong, "f0"), 100, "another kind is another fixup");
        assert_eq!(fixups.as_slice().len(), 101);
    }
}
