//! Dictionaries: values under keys.
//!
//! Entries stand in the order in which their keys were first stored, except that the last takes the place of one
//! that is removed. Deliberately absent: access rules (systemdict is read-only because the operators refuse to
//! write to it).

use std::ops::Range;

use super::value::Packed;
use places::Places;

pub mod key;
pub(super) mod places;

pub use key::Key;

/// A dictionary up to this size is searched from end to end, which is faster than hashing.
pub(super) const SMALL: u32 = 8;

/// A value under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Packed,
}

/// What stands where no entry is.
const VACANT: Entry = Entry { key: Key::VACANT, value: Packed::NULL };

/// Where the entries of a dictionary are, and how keys are found among them. Native code reads it, puts entries last,
/// and takes and frees what only the dictionary stack refers to.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Record {
    /// The first of them in the row of all entries.
    pub(super) start: usize,
    /// How many there are.
    pub(super) length: u32,
    /// For how many there is room; none, or a power of two.
    pub(super) capacity: u32,
    /// The first key of an [`Index::Run`].
    pub(super) first: f64,
    pub(super) index: Index,
    /// Whether it was ever on the dictionary stack, so that its keys are names' meanings.
    pub(super) is_begun: bool,
    /// Whether nothing but the dictionary stack refers to it, so that it can be freed when it leaves that.
    pub(super) is_private: bool,
    /// Of one that is not in use: what [`Dictionaries::free`] is when it is.
    pub(super) next: u32,
    /// Where each key stands in an [`Index::Places`].
    places: Option<Box<Places>>,
    /// The address and the length of the table there of whole numbers' places; none without it.
    pub(super) near: usize,
    pub(super) near_length: usize,
}

/// How the place of a key is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(super) enum Index {
    /// There are few entries.
    #[default]
    Walk,
    /// The keys are whole numbers, each one more than that before it.
    Run,
    /// By [`Places`].
    Places,
}

/// Where it stands what id is used next.
pub(super) const FREE: usize = std::mem::offset_of!(Dictionaries, free);

impl Record {
    #[inline]
    const fn range(&self) -> Range<usize> {
        self.start..self.start + self.length as usize
    }

    /// Looks where the table of whole numbers' places is now.
    fn look(&mut self) {
        let near = self.places.as_ref().map(|places| places.near()).unwrap_or_default();
        (self.near, self.near_length) = (near.as_ptr() as usize, near.len());
    }
}

/// A dictionary, to be read.
#[derive(Debug, Clone, Copy)]
pub struct Dictionary<'h> {
    record: &'h Record,
    entries: &'h [Entry],
}

impl<'h> Dictionary<'h> {
    /// The value under a key.
    #[inline]
    pub fn get(self, key: Key) -> Option<Packed> {
        self.position(key).map(|at| self.entries[at].value)
    }

    /// The entries.
    #[inline]
    pub fn entries(self) -> &'h [Entry] {
        self.entries
    }

    /// The value that stands at a place, if it is the key's.
    #[inline]
    pub(super) fn at(self, place: u32, key: Key) -> Option<Packed> {
        self.entries.get(place as usize).filter(|entry| entry.key == key).map(|entry| entry.value)
    }

    /// Where a key stands.
    #[inline(always)]
    pub(super) fn position(self, key: Key) -> Option<usize> {
        match self.record.index {
            Index::Walk => self.entries.iter().position(|entry| entry.key == key),
            _ => self.indexed_position(key),
        }
    }

    /// The same of one that is not small.
    #[inline(never)]
    fn indexed_position(self, key: Key) -> Option<usize> {
        match self.record.index {
            Index::Walk => None,
            Index::Run => {
                // A number that is too small or no whole one finds another key, or none.
                let at = (key.packed().as_number()? - self.record.first) as u32 as usize;
                self.entries.get(at).is_some_and(|entry| entry.key == key).then_some(at)
            }
            Index::Places => self.record.places.as_ref()?.get(key).map(|at| at as usize),
        }
    }

    /// Whether nothing but the dictionary stack refers to it.
    pub(super) const fn is_private(self) -> bool {
        self.record.is_private
    }

    /// Whether it was ever on the dictionary stack.
    #[inline]
    pub(super) const fn is_begun(self) -> bool {
        self.record.is_begun
    }

    /// The first key, if the keys are a run of whole numbers.
    fn first_of_run(self) -> Option<f64> {
        let first = self.entries.first()?.key.packed().as_number().filter(|first| first.fract() == 0.0)?;
        let fits = |(at, entry): (u32, &Entry)| entry.key.packed().as_number() == Some(first + f64::from(at));
        (0..).zip(self.entries).all(fits).then_some(first)
    }
}

/// All dictionaries: the entries of all of them in one row, and a table that says where each has its own.
///
/// One that outgrows its room moves to another of twice the size. Native code finds an entry by the two [`Vec`]s and
/// the layout of [`Record`] and [`Entry`].
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    table: Vec<Record>,
    /// One more than the id that is used next; 0 if all are in use.
    free: u32,
    /// What has no keys, and no room for any.
    pub(super) nothing: Record,
    entries: Vec<Entry>,
    /// Where there is room that is not in use, by the power of two that it has room for.
    rooms: [Vec<usize>; u32::BITS as usize],
}

impl Dictionaries {
    /// How many ids there are.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Adds one that is empty.
    #[inline]
    pub(super) fn add(&mut self) -> u32 {
        // What was freed is empty, and keeps its room.
        match self.free.checked_sub(1) {
            Some(id) => {
                self.free = self.table[id as usize].next;
                id
            }
            None => {
                self.table.push(Record::default());
                self.table.len() as u32 - 1
            }
        }
    }

    /// Notes that an id is not in use.
    fn release(&mut self, id: u32) {
        self.table[id as usize].next = std::mem::replace(&mut self.free, id + 1);
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> Dictionary<'_> {
        let record = &self.table[id as usize];
        Dictionary { record, entries: &self.entries[record.range()] }
    }

    /// Where the entries of all are, until one grows.
    #[inline]
    pub(super) const fn row(&self) -> *const Entry {
        self.entries.as_ptr()
    }

    /// Where all are, until one is added, and the entries of all, until one grows.
    pub(super) fn rows(&mut self) -> (&mut [Record], &mut [Entry]) {
        (&mut self.table, &mut self.entries)
    }

    /// The entries of one, whose keys must stay what they are.
    #[inline]
    pub(super) fn entries_mut(&mut self, id: u32) -> &mut [Entry] {
        &mut self.entries[self.table[id as usize].range()]
    }

    /// Adds one that is empty, for the dictionary stack alone.
    #[inline]
    pub(super) fn add_private(&mut self) -> u32 {
        let id = self.add();
        let record = &mut self.table[id as usize];
        (record.is_begun, record.is_private) = (true, true);
        id
    }

    /// Notes that a value refers to it from now on.
    #[inline]
    pub(super) fn share(&mut self, id: u32) {
        self.table[id as usize].is_private = false;
    }

    /// Frees it if nothing refers to it but the dictionary stack, where it was. Gives how many entries it had then.
    #[inline]
    pub(super) fn free_private(&mut self, id: u32) -> Option<usize> {
        let Record { is_private, length, .. } = self.table[id as usize];
        is_private.then(|| {
            self.clear(id);
            self.release(id);
            length as usize
        })
    }

    /// Notes that it has come to the dictionary stack. Tells whether for the first time.
    #[inline]
    pub(super) fn note_begun(&mut self, id: u32) -> bool {
        !std::mem::replace(&mut self.table[id as usize].is_begun, true)
    }

    /// Replaces the value that stands at a place, if it is the key's. Tells whether it is.
    #[inline]
    pub(super) fn replace_at(&mut self, id: u32, place: u32, key: Key, value: Packed) -> bool {
        let entries = &mut self.entries[self.table[id as usize].range()];
        let entry = entries.get_mut(place as usize).filter(|entry| entry.key == key);
        entry.map(|entry| entry.value = value).is_some()
    }

    /// Stores a value under a key. Gives its place, and whether the key is new.
    #[inline]
    pub(super) fn insert(&mut self, id: u32, key: Key, value: Packed) -> (u32, bool) {
        if let Some(at) = self.get(id).position(key) {
            self.entries[self.table[id as usize].start + at].value = value;
            return (at as u32, false);
        }
        (self.insert_new(id, key, value), true)
    }

    /// Stores a value under a key that is not there yet. Gives its place.
    #[inline]
    pub(super) fn insert_new(&mut self, id: u32, key: Key, value: Packed) -> u32 {
        if self.table[id as usize].length == self.table[id as usize].capacity {
            self.grow(id);
        }
        let record = &mut self.table[id as usize];
        let last = record.length;
        self.entries[record.start + last as usize] = Entry { key, value };
        record.length += 1;
        // One that was large once keeps its index when it gets small, and its room.
        if last >= SMALL || record.index != Index::Walk {
            self.note(id, key, last);
        }
        last
    }

    /// Gives one that is empty room for so many entries, few, if it has less.
    pub(super) fn make_room(&mut self, id: u32, entries: u32) {
        while self.table[id as usize].capacity < entries {
            self.grow(id);
        }
    }

    /// Gives it twice the room.
    #[cold]
    fn grow(&mut self, id: u32) {
        let record = &self.table[id as usize];
        let (old, capacity) = (record.range(), (2 * record.capacity).max(SMALL / 2));
        let is_last = record.capacity > 0 && record.start + record.capacity as usize == self.entries.len();
        if is_last && self.rooms[capacity.trailing_zeros() as usize].is_empty() {
            // Where it is: nothing moves, and no room is left behind.
            self.entries.resize(old.start + capacity as usize, VACANT);
            self.table[id as usize].capacity = capacity;
            return;
        }
        let start = self.room(capacity);
        self.entries.copy_within(old, start);
        self.free_room(id);
        let record = &mut self.table[id as usize];
        (record.start, record.capacity) = (start, capacity);
    }

    /// Room for so many entries, which is in no use.
    fn room(&mut self, capacity: u32) -> usize {
        self.rooms[capacity.trailing_zeros() as usize].pop().unwrap_or_else(|| {
            let start = self.entries.len();
            self.entries.resize(start + capacity as usize, VACANT);
            start
        })
    }

    fn free_room(&mut self, id: u32) {
        let record = &mut self.table[id as usize];
        if record.capacity > 0 {
            self.rooms[record.capacity.trailing_zeros() as usize].push(record.start);
            record.capacity = 0;
        }
    }

    /// Removes a key. Tells whether it was there.
    pub(super) fn remove(&mut self, id: u32, key: Key) -> bool {
        let Some(at) = self.get(id).position(key) else { return false };
        let record = &mut self.table[id as usize];
        let entries = &mut self.entries[record.range()];
        entries.swap(at, entries.len() - 1);
        let moved = entries[at].key;
        record.length -= 1;
        match record.index {
            Index::Walk => {}
            Index::Run => self.index_all(id),
            Index::Places => {
                let places = record.places.get_or_insert_default();
                places.insert(moved, at as u32);
                places.remove(key);
                record.look();
            }
        }
        true
    }

    /// Removes everything, but keeps the room for entries when it is little.
    fn clear(&mut self, id: u32) {
        let record = &mut self.table[id as usize];
        (record.length, record.is_begun, record.is_private) = (0, false, false);
        if record.capacity > SMALL {
            (record.index, record.places) = (Index::Walk, None);
            record.look();
            self.free_room(id);
        }
    }

    /// Empties all that were not reached, and adds up what the others cost.
    pub(super) fn sweep(&mut self, reached: &[bool], cost: impl Fn(usize) -> usize) -> usize {
        self.free = 0;
        let mut used = 0;
        for id in (0..self.table.len() as u32).rev() {
            if reached[id as usize] {
                used += cost(self.table[id as usize].length as usize);
            } else {
                self.clear(id);
                self.release(id);
            }
        }
        used
    }

    /// Enters a new key, which stands last, in the index.
    fn note(&mut self, id: u32, key: Key, last: u32) {
        let run = if last == SMALL { self.get(id).first_of_run() } else { None };
        let record = &mut self.table[id as usize];
        match (record.index, run) {
            (Index::Walk, Some(first)) => (record.index, record.first) = (Index::Run, first),
            (Index::Run, _) if key.packed().as_number() == Some(record.first + f64::from(last)) => {}
            (Index::Places, _) => {
                record.places.get_or_insert_default().insert(key, last);
                record.look();
            }
            _ => self.index_all(id),
        }
    }

    #[cold]
    fn index_all(&mut self, id: u32) {
        let keys = self.get(id).entries.iter().zip(0..);
        let places = Box::new(keys.map(|(entry, at)| (entry.key, at)).collect());
        let record = &mut self.table[id as usize];
        (record.index, record.places) = (Index::Places, Some(places));
        record.look();
    }
}

#[cfg(test)]
mod tests {
    use super::key::tests::{key, values};
    use super::*;
    use crate::vm::value::Value;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Act {
        Insert(Value, Value),
        Remove(Value),
        Clear,
    }

    /// Some of it at random; and runs of whole numbers, of which there are many in programs.
    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            8 => (values(), values()).prop_map(|(key, value)| Act::Insert(key, value)),
            3 => values().prop_map(Act::Remove),
            1 => Just(Act::Clear),
        ];
        let run = (-3i32..3, 0i32..20).prop_map(|(first, length)| {
            let number = |n| Value::Number(f64::from(n));
            (first..first + length).map(|n| Act::Insert(number(n), number(-n))).collect::<Vec<_>>()
        });
        let part = prop_oneof![run, proptest::collection::vec(act, 0..30)];
        proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn a_dictionary_has_what_was_stored_last(acts in acts()) {
            let mut all = Dictionaries::default();
            let id = all.add();
            let mut model: Vec<(Value, Value)> = Vec::new();
            for act in acts {
                match act {
                    Act::Insert(new, value) => {
                        let old = model.iter_mut().find(|entry| entry.0 == new);
                        let (place, is_new) = all.insert(id, key(new), value.into());
                        prop_assert_eq!(is_new, old.is_none());
                        prop_assert_eq!(all.get(id).at(place, key(new)), Some(value.into()));
                        match old {
                            Some(entry) => entry.1 = value,
                            None => model.push((new, value)),
                        }
                    }
                    Act::Remove(old) => {
                        let at = model.iter().position(|entry| entry.0 == old);
                        prop_assert_eq!(all.remove(id, key(old)), at.is_some());
                        at.map(|at| model.swap_remove(at));
                    }
                    Act::Clear => {
                        all.clear(id);
                        model.clear();
                    }
                }
                prop_assert_eq!(all.get(id).entries().len(), model.len());
                let record = &all.table[id as usize];
                let near = record.places.as_ref().map(|places| places.near()).unwrap_or_default();
                prop_assert_eq!(record.near_length, near.len());
                prop_assert!(near.is_empty() || record.near == near.as_ptr() as usize);
                for (at, (stored, value)) in model.iter().enumerate() {
                    prop_assert_eq!(all.get(id).get(key(*stored)), Some((*value).into()));
                    prop_assert_eq!(all.get(id).entries()[at].key, key(*stored));
                }
                prop_assert_eq!(all.get(id).get(key(Value::Number(0.25))), None);
            }
        }
    }
}
