//! Arrays and strings: the elements of all of them in one row, and a table that says where each has its own.
//!
//! What is made is put at the end of the row; a collection moves together what is left, in the same order, and nobody
//! but the table need know. A part of an array or string has a row of the table too, and no elements of its own.
//! Deliberately absent: pointers. Native code finds an element by the two [`Vec`]s and the layout of [`Sequence`].

use std::ops::Range;

/// Where the elements of an array or string are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(in crate::vm) struct Sequence {
    /// The first of them in the row of all elements.
    pub(in crate::vm) start: usize,
    pub(in crate::vm) length: u32,
    /// The id of the whole one of which this is a part, or its own, and whether it is read-only.
    pub(in crate::vm) whole: Whole,
}

/// The id of a whole array or string, with [`READ_ONLY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(in crate::vm) struct Whole(u32);

/// So many ids there can be; the bit says of a [`Whole`] that it is read-only.
pub(super) const READ_ONLY: u32 = 1 << 31;

impl Sequence {
    #[inline]
    const fn range(self) -> Range<usize> {
        self.start..self.start + self.length as usize
    }

    /// The id of the whole one.
    const fn whole(self) -> u32 {
        self.whole.0 & !READ_ONLY
    }

    pub(super) const fn is_read_only(self) -> bool {
        self.whole.0 & READ_ONLY != 0
    }
}

/// Whether something can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vm) enum Access {
    /// It cannot.
    ReadOnly,
    /// It can.
    Unlimited,
}

/// All arrays or all strings.
#[derive(Debug)]
pub(super) struct Sequences<T> {
    table: Vec<Sequence>,
    /// The ids that are not in use.
    free: Vec<u32>,
    /// The elements of all.
    elements: Vec<T>,
    /// The whole ones, as their elements stand in the row.
    order: Vec<u32>,
}

impl<T: Copy> Sequences<T> {
    pub(super) const fn new() -> Self {
        Self { table: Vec::new(), free: Vec::new(), elements: Vec::new(), order: Vec::new() }
    }

    /// The table and the elements.
    pub(super) fn rows(&mut self) -> (&mut [Sequence], &mut [T]) {
        (&mut self.table, &mut self.elements)
    }

    /// How many ids there are.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Adds one with these elements, if there is memory for them.
    #[inline]
    pub(super) fn add(&mut self, elements: &[T], access: Access) -> Option<u32> {
        self.elements.try_reserve(elements.len()).ok()?;
        self.elements.extend_from_slice(elements);
        Some(self.enter_last(elements.len(), access))
    }

    /// Adds one with the same elements as another, if there is memory for them.
    pub(super) fn add_copy(&mut self, id: u32, access: Access) -> Option<u32> {
        let range = self.place(id).range();
        let length = range.len();
        self.elements.try_reserve(length).ok()?;
        self.elements.extend_from_within(range);
        Some(self.enter_last(length, access))
    }

    /// Adds one with so many of the same, if there is memory for them.
    #[inline]
    pub(super) fn add_filled(&mut self, length: usize, element: T) -> Option<u32> {
        self.elements.try_reserve(length).ok()?;
        self.elements.resize(self.elements.len() + length, element);
        Some(self.enter_last(length, Access::Unlimited))
    }

    /// Adds the one that has the last elements.
    #[inline]
    fn enter_last(&mut self, length: usize, access: Access) -> u32 {
        let start = self.elements.len() - length;
        let flag = if access == Access::ReadOnly { READ_ONLY } else { 0 };
        let id = self.enter(|id| Sequence { start, length: length as u32, whole: Whole(id | flag) });
        self.order.push(id);
        id
    }

    #[inline]
    fn enter(&mut self, sequence: impl FnOnce(u32) -> Sequence) -> u32 {
        match self.free.pop() {
            Some(id) => {
                self.table[id as usize] = sequence(id);
                id
            }
            None => {
                let id = self.table.len() as u32;
                self.table.push(sequence(id));
                id
            }
        }
    }

    /// Adds a part, which lies within its whole.
    #[inline]
    pub(super) fn add_part(&mut self, id: u32, start: usize, length: usize) -> u32 {
        let of = self.place(id);
        if length == of.length as usize {
            return id;
        }
        self.enter(|_| Sequence { start: of.start + start, length: length as u32, whole: of.whole })
    }

    /// Where the elements are: the same for two just when they are the same part of the same whole.
    #[inline]
    pub(super) fn place(&self, id: u32) -> Sequence {
        self.table[id as usize]
    }

    /// The whole of which it is a part, and where it begins there; nothing if it is no part.
    pub(super) fn part_of(&self, id: u32) -> Option<(u32, usize)> {
        let place = self.place(id);
        let whole = place.whole();
        (whole != id).then(|| (whole, place.start - self.place(whole).start))
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> &[T] {
        &self.elements[self.place(id).range()]
    }

    /// The elements, if they may be written to.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut [T]> {
        let place = self.place(id);
        if place.is_read_only() { None } else { Some(&mut self.elements[place.range()]) }
    }

    /// Copies the elements of one into another, from an index on. They may overlap; they fit, and may be written to.
    #[inline]
    pub(super) fn copy(&mut self, from: u32, to: u32, start: usize) {
        let to = self.place(to).start + start;
        let from = self.place(from).range();
        self.elements.copy_within(from, to);
    }

    /// The same, if they fit and may be written to. Tells whether it is so.
    #[inline]
    pub(super) fn copy_if_it_fits(&mut self, from: u32, to: u32, start: usize) -> bool {
        let (from, to) = (self.place(from), self.place(to));
        let end = start.checked_add(from.length as usize);
        let fits = end.is_some_and(|end| end <= to.length as usize) && !to.is_read_only();
        if fits {
            self.elements.copy_within(from.range(), to.start + start);
        }
        fits
    }

    /// Forgets all that were not reached, and adds up what the others cost. A part was reached only with its whole.
    pub(super) fn sweep(&mut self, reached: &[bool], cost: impl Fn(u32, usize) -> usize) -> usize {
        let parts = self.forget(reached);
        let used = self.move_together(reached, &cost);
        for id in &parts {
            let whole = self.place(self.place(*id).whole());
            self.table[*id as usize].start += whole.start;
        }
        used + parts.iter().map(|id| cost(*id, 0)).sum::<usize>()
    }

    /// Collects the free ids. Gives the parts that stay, whose starts count from those of their wholes now.
    fn forget(&mut self, reached: &[bool]) -> Vec<u32> {
        let mut parts = Vec::new();
        self.free.clear();
        for id in (0..self.table.len() as u32).rev() {
            if !reached[id as usize] {
                self.free.push(id);
            } else if let Some((_, start)) = self.part_of(id) {
                self.table[id as usize].start = start;
                parts.push(id);
            }
        }
        parts
    }

    /// Moves the elements that are reached together. Gives what whole ones take.
    fn move_together(&mut self, reached: &[bool], cost: impl Fn(u32, usize) -> usize) -> usize {
        let (mut used, mut end) = (0, 0);
        let Self { table, elements, order, .. } = self;
        order.retain(|id| {
            let is_reached = reached[*id as usize];
            if is_reached {
                let place = &mut table[*id as usize];
                if place.start != end {
                    elements.copy_within(place.range(), end);
                    place.start = end;
                }
                end += place.length as usize;
                used += cost(*id, place.length as usize);
            }
            is_reached
        });
        elements.truncate(end);
        used
    }

    /// Gives memory back to the system, but for so many elements and twice those that there are.
    pub(super) fn shrink(&mut self, spare: usize) {
        self.elements.shrink_to(2 * self.elements.len() + spare);
    }
}
