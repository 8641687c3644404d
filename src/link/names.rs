//! The names of definitions and operators, each with its number.
//!
//! A program has more references than definitions by far, and each is looked up: so all names lie together, and what is
//! looked at first is a table of numbers with no more beside them than tells most other names from the right one.

use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::fast::RandomState;

/// Names by number, and numbers by name.
pub(super) struct Names {
    /// All names, one behind the other.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    /// The first of these slots that is free, counted from the one that its hash tells, ends the search for a name.
    slots: Vec<Slot>,
    hasher: RandomState,
}

/// Half of a hash, and a number and one; zeros where nothing is.
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    count: u32,
}

/// Where the search for a name begins.
#[derive(Clone, Copy)]
pub(super) struct Search {
    hash: u64,
    first: Slot,
}

impl Names {
    /// No names, and room for so many of so many bytes.
    pub(super) fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(count),
            slots: vec![Slot::default(); (2 * count).next_power_of_two()],
            hasher: RandomState::default(),
        }
    }

    /// Adds names, one behind the other in a text, that end at these places of it. They have numbers in their order;
    /// [`enter`](Self::enter) makes a number known by its name.
    pub(super) fn extend(&mut self, text: &str, ends: impl Iterator<Item = usize>) {
        let start = self.text.len();
        self.text.push_str(text);
        self.ends.extend(ends.map(|end| start + end));
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name with a number.
    pub(super) fn get(&self, number: u32) -> &str {
        &self.text[self.range(number)]
    }

    fn range(&self, number: u32) -> Range<usize> {
        let start = (number as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[number as usize]
    }

    /// Makes a number known by its name, unless another one is, which is given back.
    pub(super) fn enter(&mut self, number: u32) -> Option<u32> {
        let name = self.get(number).as_bytes();
        let search = self.search(name);
        match self.walk(search, name) {
            Ok(known) => Some(known),
            Err(free) => {
                self.slots[free] = Slot { tag: tag(search.hash), count: number + 1 };
                None
            }
        }
    }

    /// Puts a number in place of another one that has the same name.
    pub(super) fn replace(&mut self, old: u32, new: u32) {
        let hash = self.hasher.hash_one(self.get(old).as_bytes());
        let mut at = self.place(hash);
        while self.slots[at].count != old + 1 && self.slots[at].count != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Slot { tag: tag(hash), count: new + 1 };
    }

    /// Begins to look for a name.
    pub(super) fn search(&self, name: &[u8]) -> Search {
        let hash = self.hasher.hash_one(name);
        Search { hash, first: self.slots[self.place(hash)] }
    }

    /// Looks at what comes next in a search, so that it is near when it is needed. What it gives depends on what was looked at.
    pub(super) fn touch(&self, search: &Search) -> u8 {
        let number = search.first.count.saturating_sub(1);
        self.text.as_bytes().get(self.range(number).start).copied().unwrap_or_default()
    }

    /// The number of a name.
    pub(super) fn find(&self, search: Search, name: &[u8]) -> Option<u32> {
        self.walk(search, name).ok()
    }

    /// The number of a name, or the slot in which it could be.
    fn walk(&self, Search { hash, first }: Search, name: &[u8]) -> Result<u32, usize> {
        let (mut at, mut slot) = (self.place(hash), first);
        while let Some(number) = slot.count.checked_sub(1) {
            if slot.tag == tag(hash) && self.text.as_bytes()[self.range(number)] == *name {
                return Ok(number);
            }
            at = (at + 1) & (self.slots.len() - 1);
            slot = self.slots[at];
        }
        Err(at)
    }

    const fn place(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }
}

const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}
