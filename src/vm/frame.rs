//! Frames: what goes on when what is executed now has ended.
//!
//! Deliberately absent: a frame for what has nothing left to do; a call in tail position replaces its caller's.

use super::code::Address;
use super::names::NameId;
use super::program::SymbolId;
use super::value::Packed;

/// One entry of the execution stack.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Frame {
    /// Where to go on.
    pub(super) at: Address,
    /// What is executed there.
    pub(super) called: Called,
}

/// A procedure in execution: the name by which it was called, and whether it is a part of what the next outer frame
/// executes, and no call of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Called(u32);

pub(super) const PART: u32 = 1 << 31;

impl Called {
    /// A call by a name.
    #[inline]
    pub(super) const fn by(name: NameId) -> Self {
        Self(name.to_operand())
    }

    /// The same, as a part.
    #[inline]
    pub(super) const fn part(self) -> Self {
        Self(self.0 | PART)
    }

    /// The bits, as native code has them.
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    /// The same from its bits.
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(super) const fn is_part(self) -> bool {
        self.0 & PART != 0
    }

    pub(super) const fn name(self) -> NameId {
        NameId::from_operand(self.0 & !PART)
    }
}

/// A loop in execution.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Turns {
    /// Where its body begins.
    pub(super) body: Address,
    /// As what the body is executed.
    pub(super) called: Called,
    pub(super) kind: TurnsKind,
}

/// What decides whether there is another turn. Native code reads and writes it: a tag, then fields, as in C.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum TurnsKind {
    /// `for`, with the control value of the next turn.
    For { next: f64, increment: f64, limit: f64 },
    /// `repeat`, with the number of turns to come.
    Repeat { left: u64 },
    /// `loop`
    Loop,
    /// `forall`, with the place of the next element.
    ForAll { of: Packed, next: u32 },
}

/// A place in the code: the same instruction has the same place whenever it is executed for the same symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
