//! The operand stack.

use super::value::{Packed, Value};

/// So many values a fused operation may have the stack hold for a moment.
const SPARE: usize = 4;

/// The operand stack: slots, of which the lowest are in use. The others hold anything.
#[derive(Debug)]
pub(super) struct Stack {
    slots: Vec<Packed>,
    height: usize,
    limit: usize,
}

impl Stack {
    /// An empty stack, for so many values.
    pub(super) fn new(limit: usize) -> Self {
        Self { slots: Vec::new(), height: 0, limit }
    }

    /// How many values there may be.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// The values, the top last.
    #[inline]
    pub(super) fn values(&self) -> &[Packed] {
        &self.slots[..self.height]
    }

    #[inline]
    pub(super) fn values_mut(&mut self) -> &mut [Packed] {
        &mut self.slots[..self.height]
    }

    /// The slots, after [`Self::trim`], for who keeps count of those in use himself and says so by [`Self::set_height`].
    #[inline]
    pub(super) fn slots(&mut self) -> &mut [Packed] {
        &mut self.slots
    }

    /// Takes care that at least [`SPARE`] values less than the limit have slots. Tells whether it can, for there may
    /// be more values.
    pub(super) fn trim(&mut self) -> bool {
        let is_low = self.height <= self.most();
        if is_low {
            self.slots.truncate(self.most());
        }
        is_low
    }

    /// Makes slots for so many values more, or as many as there may be.
    pub(super) fn make_room(&mut self, values: usize) {
        if self.slots.len() < self.height + values {
            let length = (self.height + 2 * values).max(2 * self.slots.len()).min(self.most());
            self.slots.resize(length.max(self.slots.len()), Packed::NULL);
        }
    }

    /// So many values may have slots before the room gets scarce.
    const fn most(&self) -> usize {
        self.limit.saturating_sub(SPARE)
    }

    #[inline]
    pub(super) const fn height(&self) -> usize {
        self.height
    }

    #[inline]
    pub(super) fn set_height(&mut self, height: usize) {
        self.height = height.min(self.slots.len());
    }

    /// Whether so many more values have room.
    pub(super) const fn has_room(&self, values: usize) -> bool {
        self.height + values <= self.limit
    }

    /// Pushes a value, if there is room.
    #[inline]
    pub(super) fn push(&mut self, value: Value) -> bool {
        self.has_room(1) && {
            self.push_beyond(value);
            true
        }
    }

    /// Pushes a value whatever the limit is.
    #[inline]
    pub(super) fn push_beyond(&mut self, value: Value) {
        if self.height == self.slots.len() {
            self.grow();
        }
        self.slots[self.height] = value.into();
        self.height += 1;
    }

    /// Makes slots for at least one value more.
    #[cold]
    pub(super) fn grow(&mut self) {
        let length = (2 * self.slots.len()).max(256).min(self.most()).max(self.height + 1);
        self.slots.resize(length, Packed::NULL);
    }

    /// Removes the uppermost values.
    #[inline]
    pub(super) fn discard(&mut self, count: usize) {
        self.height -= count;
    }
}
