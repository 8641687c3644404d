//! Frames: what is being executed, and what will go on when it ends.
//!
//! Deliberately absent: a frame for what has nothing left to do; a call in tail position replaces its caller's.

use super::names::NameId;
use super::program::SymbolId;
use super::value::Procedure;

/// One entry of the execution stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The next instruction, as an index into the loaded code.
    pub(super) at: u32,
    /// Where the body ends. For a loop between two turns: equal to `at`, after the operator.
    pub(super) end: u32,
    /// The symbol in whose section the code stands.
    pub(super) symbol: u32,
    /// The name by which the procedure was called.
    pub(super) name: NameId,
    /// Whether `for` waits here for its body; the details are the topmost [`ForLoop`].
    pub(super) is_loop: bool,
    /// Whether this is a part of what the next outer frame executes, and no call of its own.
    pub(super) is_part: bool,
}

/// A `for` with at least one turn to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForLoop {
    /// The control value of the next turn.
    pub(super) next: f64,
    pub(super) increment: f64,
    pub(super) limit: f64,
    pub(super) body: Procedure,
}

impl ForLoop {
    /// Whether the control value has passed the limit.
    pub(super) fn is_over(&self) -> bool {
        if self.increment < 0.0 { self.next < self.limit } else { self.next > self.limit }
    }
}

/// A place in the code: the same instruction has the same place whenever it is executed for the same symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The symbol in whose section the code stands.
    pub symbol: SymbolId,
    /// Index of that section in the executable.
    pub section: u32,
    /// Ordinal of the instruction in the section.
    pub ordinal: u32,
}

/// A procedure in execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// The name by which it was called; of a block handed to another procedure, where it was written.
    pub name: NameId,
    /// What is executed in it now.
    pub place: Place,
}
