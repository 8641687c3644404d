//! What is known of the operand stack at one point of the code.

use std::num::NonZeroU32;

use crate::isa::effect::Types;

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    /// The types that it may have.
    pub(super) types: Types,
    /// One more than the item that pushed it.
    origin: Option<NonZeroU32>,
}

impl Value {
    /// Any value from anywhere.
    pub(super) const ANY: Self = Self::from_anywhere(Types::ANY);

    /// A value of these types that the item at `origin` pushes.
    pub(super) const fn new(types: Types, origin: usize) -> Self {
        Self { types, origin: NonZeroU32::new(origin as u32 + 1) }
    }

    /// A value of these types.
    pub(super) const fn from_anywhere(types: Types) -> Self {
        Self { types, origin: None }
    }

    /// The item that pushed it, if that is known.
    pub(super) fn origin(self) -> Option<usize> {
        self.origin.map(|origin| origin.get() as usize - 1)
    }

    /// One of two values.
    pub(super) fn or(self, other: Self) -> Self {
        let origin = self.origin.filter(|_| self.origin == other.origin);
        Self { types: self.types.or(other.types), origin }
    }
}

/// Of so many values at most more is known than that they are there.
const MOST: usize = 8;

/// The operand stack as far as it is known. Small, and copied where code branches.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// How many values lie below the known ones, unless any number may.
    below: Option<u32>,
    values: [Value; MOST],
    known: usize,
    /// The item that ended the execution of the body; what follows is not reached.
    pub(super) ended: Option<u32>,
}

impl State {
    /// A stack without values.
    pub(super) const EMPTY: Self = Self { below: Some(0), values: [Value::ANY; MOST], known: 0, ended: None };

    /// A stack of which nothing is known.
    pub(super) const UNKNOWN: Self = Self { below: None, ..Self::EMPTY };

    pub(super) fn push(&mut self, value: Value) {
        if self.known == MOST {
            const HALF: usize = MOST / 2;
            self.values.copy_within(HALF.., 0);
            self.known -= HALF;
            self.below = self.below.and_then(|below| below.checked_add(HALF as u32));
        }
        self.values[self.known] = value;
        self.known += 1;
    }

    /// Loses all that was known.
    pub(super) fn forget(&mut self) {
        (self.below, self.known, self.ended) = (None, 0, None);
    }

    /// Takes values from the top, of which there must be so many.
    pub(super) fn discard(&mut self, count: usize) {
        let beyond = count.saturating_sub(self.known) as u32;
        self.known = self.known.saturating_sub(count);
        self.below = self.below.map(|below| below.saturating_sub(beyond));
    }

    /// The value so far below the top.
    pub(super) fn peek(&self, depth: usize) -> Value {
        let known = self.known.checked_sub(depth + 1).and_then(|at| self.values.get(at));
        known.copied().unwrap_or(Value::ANY)
    }

    /// The known values, the top last.
    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator {
        self.values[..self.known].iter().copied()
    }

    /// The known values at the top, if there are so many.
    pub(super) fn top_mut(&mut self, count: usize) -> Option<&mut [Value]> {
        let from = self.known.checked_sub(count)?;
        Some(&mut self.values[from..self.known])
    }

    /// The number of values, if there are surely less than so many.
    pub(super) fn fewer_than(&self, count: usize) -> Option<usize> {
        let height = self.below? as usize + self.known;
        (height < count).then_some(height)
    }

    /// Whether nothing lies below the known values.
    pub(super) fn is_all_known(&self) -> bool {
        self.below == Some(0)
    }

    /// Whether nothing is known.
    pub(super) fn is_unknown(&self) -> bool {
        self.known == 0 && self.below.is_none()
    }

    /// Keeps only the number of values.
    pub(super) fn blur(&mut self) {
        self.below = self.below.and_then(|below| below.checked_add(self.known as u32));
        self.known = 0;
    }

    /// What is known when either of two ways led here.
    pub(super) fn join(self, other: Self) -> Self {
        if self.ended.is_some() {
            return other;
        }
        if other.ended.is_some() {
            return self;
        }
        let known = self.known.min(other.known);
        let below = |state: &Self| state.below.map(|below| below as usize + state.known - known);
        let mut joined = Self::UNKNOWN;
        if below(&self) == below(&other) {
            joined.below = below(&self).and_then(|below| u32::try_from(below).ok());
        }
        for depth in (0..known).rev() {
            joined.push(self.peek(depth).or(other.peek(depth)));
        }
        joined
    }
}
