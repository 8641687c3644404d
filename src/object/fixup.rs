//! Fixups: a fragment's references to names.

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixups(Vec<Fixup>);

impl Fixups {
    /// The index of a fixup, which is added when it is new.
    pub fn intern(&mut self, kind: FixupKind, target: &str) -> u32 {
        // Procedures are short: a walk over the few fixups is faster than hashing, up to a point.
        let same = |fixup: &Fixup| fixup.kind == kind && &*fixup.target == target;
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(Fixup { kind, target: target.into() });
            self.0.len() - 1
        });
        at as u32
    }

    /// The fixups by index.
    pub fn as_slice(&self) -> &[Fixup] {
        &self.0
    }

    /// The fixup at an index.
    pub fn get(&self, index: u32) -> Option<&Fixup> {
        self.0.get(index as usize)
    }
}
