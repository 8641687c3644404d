//! Interned texts: every name and string of a program, and every string that is a key, as a small number.
//!
//! Two ids of one program are equal just when their texts are.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::heap::{Access, Heap, StringId, string_cost};

/// A name or string of a program, or a string that is a key of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(u32);

impl NameId {
    /// The id that stands as the operand of a loaded instruction.
    pub(super) const fn from_operand(operand: u32) -> Self {
        Self(operand)
    }

    /// The id as the operand of a loaded instruction.
    pub(super) const fn to_operand(self) -> u32 {
        self.0
    }

    /// The id as an index into tables that have a row for each text.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts of a program by id, and their ids by text.
#[derive(Debug, Clone, Default)]
pub struct Names {
    texts: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, NameId, RandomState>,
}

impl Names {
    /// No texts yet, and room for so many.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self {
            texts: Vec::with_capacity(texts),
            ids: HashMap::with_capacity_and_hasher(texts, RandomState::default()),
        }
    }

    /// The id of a text, which is added when it is new.
    pub(super) fn intern(&mut self, text: &Arc<str>) -> NameId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = NameId(self.texts.len() as u32);
        self.texts.push(text.clone());
        self.ids.insert(text.clone(), id);
        id
    }

    /// The id of a text, if the program has it.
    pub fn get(&self, text: &str) -> Option<NameId> {
        self.ids.get(text).copied()
    }

    /// The text of an id of the same program.
    pub fn text(&self, id: NameId) -> &Arc<str> {
        &self.texts[id.index()]
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// The texts of a running program: those that it was loaded with, and those that have become keys since. Their bytes
/// are strings on the heap.
#[derive(Debug)]
pub struct Texts {
    /// How many the program was loaded with; they are never forgotten.
    loaded: usize,
    /// The string of each.
    strings: Vec<StringId>,
    free: Vec<NameId>,
    /// The ids by the hashes of the bytes, each at the first free place from where its hash says.
    table: Vec<Slot>,
    hasher: RandomState,
    /// What was found last: most likely it is looked for again.
    last: Cell<Option<NameId>>,
    /// The string for which it was found, if that stays what it is.
    last_string: Cell<Option<StringId>>,
    /// Where each stood as a key of a dictionary when it was last looked for: most likely it stands there again.
    places: Vec<Cell<u32>>,
}

/// A place of the table: the upper half of a hash, and the id plus one, or 0 where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Slot {
    hash: u32,
    id: u32,
}

impl Texts {
    /// The texts of a loaded program.
    pub(super) fn new(names: &Names, heap: &mut Heap) -> Self {
        let mut texts = Self {
            loaded: names.len(),
            strings: Vec::with_capacity(names.len()),
            free: Vec::new(),
            table: vec![Slot::default(); (2 * names.len()).next_power_of_two().max(64)],
            hasher: RandomState::default(),
            last: Cell::new(None),
            last_string: Cell::new(None),
            places: vec![Cell::new(0); names.len()],
        };
        for text in &names.texts {
            // Without memory for the program itself nothing can be done.
            let string = heap.new_string(text.as_bytes(), Access::ReadOnly).unwrap_or(StringId(0));
            texts.strings.push(string);
            texts.enter(texts.hasher.hash_one(text.as_bytes()), NameId(texts.strings.len() as u32 - 1));
        }
        texts
    }

    /// Where each text stood last as a key of a dictionary.
    pub(super) fn places(&self) -> &[Cell<u32>] {
        &self.places
    }

    /// The string of a text.
    #[inline]
    pub(super) fn string(&self, id: NameId) -> StringId {
        self.strings[id.index()]
    }

    /// Where a text most likely stands as a key of a dictionary.
    #[inline]
    pub(super) fn place(&self, id: NameId) -> u32 {
        self.places[id.index()].get()
    }

    /// Notes where it stands.
    #[inline]
    pub(super) fn note_place(&self, id: NameId, place: u32) {
        self.places[id.index()].set(place);
    }

    /// The ids that the program was loaded with.
    pub(super) fn loaded(&self) -> impl ExactSizeIterator<Item = NameId> {
        (0..self.loaded as u32).map(NameId)
    }

    /// The id of a string's text, if there is one.
    #[inline]
    pub(super) fn find(&self, heap: &Heap, string: StringId) -> Option<NameId> {
        if self.last_string.get() == Some(string) {
            return self.last.get();
        }
        let bytes = heap.string(string);
        let last = self.last.get().filter(|last| is_same(heap.string(self.string(*last)), bytes));
        let found = last.or_else(|| self.search(heap, bytes));
        let stays = found.is_some() && heap.is_read_only(string);
        self.last_string.set(Some(string).filter(|_| stays));
        found
    }

    #[inline(never)]
    fn search(&self, heap: &Heap, bytes: &[u8]) -> Option<NameId> {
        let hash = self.hasher.hash_one(bytes);
        let mut at = hash as usize;
        loop {
            let slot = self.table[at & (self.table.len() - 1)];
            let id = NameId(slot.id.checked_sub(1)?);
            if slot.hash == (hash >> 32) as u32 && is_same(heap.string(self.string(id)), bytes) {
                self.last.set(Some(id));
                return Some(id);
            }
            at += 1;
        }
    }

    /// The id of a text that there is no id of yet, with the string of its bytes.
    pub(super) fn add(&mut self, heap: &Heap, string: StringId) -> NameId {
        let id = self.free.pop().unwrap_or(NameId(self.strings.len() as u32));
        match self.strings.get_mut(id.index()) {
            Some(place) => *place = string,
            None => {
                self.strings.push(string);
                self.places.push(Cell::new(0));
            }
        }
        if 2 * self.strings.len() > self.table.len() {
            self.enter_all(heap);
        } else {
            self.enter(self.hasher.hash_one(heap.string(string)), id);
        }
        id
    }

    /// How many ids there are.
    pub(super) const fn len(&self) -> usize {
        self.strings.len()
    }

    fn enter(&mut self, hash: u64, id: NameId) {
        let mut at = hash as usize;
        let mask = self.table.len() - 1;
        while self.table[at & mask].id != 0 {
            at += 1;
        }
        self.table[at & mask] = Slot { hash: (hash >> 32) as u32, id: id.0 + 1 };
    }

    /// Makes the table anew.
    fn enter_all(&mut self, heap: &Heap) {
        self.table.clear();
        self.table.resize((4 * self.strings.len()).next_power_of_two(), Slot::default());
        let mut is_free = vec![false; self.strings.len()];
        self.free.iter().for_each(|id| is_free[id.index()] = true);
        for id in (0..self.strings.len() as u32).map(NameId).filter(|id| !is_free[id.index()]) {
            self.enter(self.hasher.hash_one(heap.string(self.string(id))), id);
        }
    }

    /// Forgets the texts made at run time that are not `kept`; gives their ids to `forgotten`. Tells how many bytes
    /// are left, besides those of the strings.
    pub(super) fn retain(&mut self, heap: &Heap, kept: &[bool], mut forgotten: impl FnMut(NameId)) -> usize {
        let before = self.free.len();
        (self.last, self.last_string) = (Cell::new(None), Cell::new(None));
        self.free = (self.loaded as u32..self.strings.len() as u32).map(NameId).collect();
        self.free.retain(|id| !kept[id.index()]);
        self.free.iter().for_each(|id| forgotten(*id));
        if self.free.len() != before {
            self.enter_all(heap);
        }
        (self.strings.len() - self.loaded - self.free.len()) * ROWS
    }
}

/// Whether two texts are the same. Most are short, and need no function that compares long ones.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || a.len() > 16 {
        return a == b;
    }
    // The first and the last bytes overlap where there are fewer than twice as many.
    if let (Some(a), Some(b)) = (ends::<8>(a), ends::<8>(b)) {
        return a.map(u64::from_ne_bytes) == b.map(u64::from_ne_bytes);
    }
    if let (Some(a), Some(b)) = (ends::<4>(a), ends::<4>(b)) {
        return a.map(u32::from_ne_bytes) == b.map(u32::from_ne_bytes);
    }
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// The first and the last bytes.
#[inline]
fn ends<const N: usize>(bytes: &[u8]) -> Option<[[u8; N]; 2]> {
    Some([*bytes.first_chunk()?, *bytes.last_chunk()?])
}

/// What a text takes in the tables, in bytes.
const ROWS: usize = 64;

/// What a text made at run time takes, in bytes, with its string.
pub(super) const fn cost(length: usize) -> usize {
    string_cost(length) + ROWS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_same;

    proptest! {
        #[test]
        fn texts_are_the_same_when_their_bytes_are(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            at in any::<proptest::sample::Index>(),
            other in any::<u8>(),
        ) {
            let mut changed = bytes.clone();
            if !bytes.is_empty() {
                *at.get_mut(&mut changed) = other;
            }
            prop_assert_eq!(is_same(&bytes, &changed), bytes == changed);
            prop_assert!(is_same(&bytes, &bytes.clone()));
            changed.push(other);
            prop_assert!(!is_same(&bytes, &changed));
        }
    }
}
