//! The heap: all dictionaries, arrays and strings of a running program, and the collection of those out of reach.
//!
//! They name each other by id, so no chain of them, however long, is ever walked by recursion.

use super::dictionary::Dictionary;
use super::value::{Slice, Value};

/// A dictionary of a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DictionaryId(pub(super) u32);

/// So many bytes are made, at least, between two collections.
const PAUSE: usize = 32 << 20;

/// What each object takes besides what it holds, in bytes.
const OBJECT: usize = 64;
/// What an entry of a dictionary takes, in bytes, with its share of the index.
pub(super) const ENTRY: usize = 48;

/// What an array of so many elements takes, in bytes.
pub(super) const fn array_cost(length: usize) -> usize {
    OBJECT + length * size_of::<Value>()
}

/// What a string of so many bytes takes.
pub(super) const fn string_cost(length: usize) -> usize {
    OBJECT + length
}

/// What an empty dictionary takes.
pub(super) const DICTIONARY_COST: usize = 2 * OBJECT;

/// The bytes of a string.
#[derive(Debug, Default)]
struct Bytes {
    bytes: Vec<u8>,
    is_read_only: bool,
}

/// Objects of one kind by id.
#[derive(Debug)]
struct Arena<T> {
    objects: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Arena<T> {
    const fn new() -> Self {
        Self { objects: Vec::new(), free: Vec::new() }
    }

    fn add(&mut self, object: T) -> u32 {
        match self.free.pop() {
            Some(id) => {
                self.objects[id as usize] = object;
                id
            }
            None => {
                self.objects.push(object);
                self.objects.len() as u32 - 1
            }
        }
    }

    /// Empties every object that was not reached, and adds up what the others cost.
    fn sweep(&mut self, reached: &[bool], cost: impl Fn(&T) -> usize, empty: impl Fn(&mut T)) -> usize {
        self.free.clear();
        let mut used = 0;
        for (at, object) in self.objects.iter_mut().enumerate() {
            if reached[at] {
                used += cost(object);
            } else {
                empty(object);
                self.free.push(at as u32);
            }
        }
        used
    }
}

/// All objects of a running program.
#[derive(Debug)]
pub struct Heap {
    dictionaries: Arena<Dictionary>,
    arrays: Arena<Vec<Value>>,
    strings: Arena<Bytes>,
    /// What all objects take, about, in bytes.
    used: usize,
    /// A collection is due when `used` would pass this.
    due: usize,
    /// What the objects may take.
    limit: usize,
}

impl Heap {
    pub(super) fn new(limit: usize) -> Self {
        let due = PAUSE.min(limit);
        let (dictionaries, arrays, strings) = (Arena::new(), Arena::new(), Arena::new());
        Self { dictionaries, arrays, strings, used: 0, due, limit }
    }

    /// Whether so many bytes more can be had without a collection. They count as used then.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let is_there = bytes <= self.due && self.used <= self.due - bytes;
        if is_there {
            self.used += bytes;
        }
        is_there
    }

    /// Gives back bytes that were taken and are not needed.
    pub(super) const fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// How many bytes there can be.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// How many bytes more there can be.
    pub(super) const fn room(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    /// Makes an empty dictionary. Its cost was taken, as that of all that is added here.
    pub(super) fn new_dictionary(&mut self) -> DictionaryId {
        DictionaryId(match self.dictionaries.free.pop() {
            // It was emptied, and keeps its room.
            Some(id) => id,
            None => self.dictionaries.add(Dictionary::default()),
        })
    }

    /// Makes an array.
    pub(super) fn new_array(&mut self, elements: Vec<Value>) -> Slice {
        let length = elements.len() as u32;
        Slice { id: self.arrays.add(elements), start: 0, length }
    }

    /// Makes a string.
    pub(super) fn new_string(&mut self, bytes: Vec<u8>, is_read_only: bool) -> Slice {
        let length = bytes.len() as u32;
        Slice { id: self.strings.add(Bytes { bytes, is_read_only }), start: 0, length }
    }

    /// A dictionary.
    #[inline]
    pub fn dictionary(&self, id: DictionaryId) -> &Dictionary {
        &self.dictionaries.objects[id.0 as usize]
    }

    #[inline]
    pub(super) fn dictionary_mut(&mut self, id: DictionaryId) -> &mut Dictionary {
        &mut self.dictionaries.objects[id.0 as usize]
    }

    /// The elements of an array.
    #[inline]
    pub fn array(&self, slice: Slice) -> &[Value] {
        &self.arrays.objects[slice.id as usize][slice.range()]
    }

    #[inline]
    pub(super) fn array_mut(&mut self, slice: Slice) -> &mut [Value] {
        &mut self.arrays.objects[slice.id as usize][slice.range()]
    }

    /// The bytes of a string.
    #[inline]
    pub fn string(&self, slice: Slice) -> &[u8] {
        &self.strings.objects[slice.id as usize].bytes[slice.range()]
    }

    /// The bytes of a string that may be written to.
    #[inline]
    pub(super) fn string_mut(&mut self, slice: Slice) -> Option<&mut [u8]> {
        let string = &mut self.strings.objects[slice.id as usize];
        (!string.is_read_only).then(|| &mut string.bytes[slice.range()])
    }

    /// Copies the elements of one array into another of the same length, which may overlap it.
    pub(super) fn copy_array(&mut self, from: Slice, to: Slice) {
        if from.id == to.id {
            self.arrays.objects[from.id as usize].copy_within(from.range(), to.start as usize);
        } else {
            let elements = std::mem::take(&mut self.arrays.objects[from.id as usize]);
            self.array_mut(to).copy_from_slice(&elements[from.range()]);
            self.arrays.objects[from.id as usize] = elements;
        }
    }

    /// Copies the bytes of one string into another of the same length, which may overlap it and may be written to.
    pub(super) fn copy_string(&mut self, from: Slice, to: Slice) {
        if from.id == to.id {
            self.strings.objects[from.id as usize].bytes.copy_within(from.range(), to.start as usize);
        } else {
            let bytes = std::mem::take(&mut self.strings.objects[from.id as usize].bytes);
            self.strings.objects[to.id as usize].bytes[to.range()].copy_from_slice(&bytes[from.range()]);
            self.strings.objects[from.id as usize].bytes = bytes;
        }
    }

    /// Marks what the roots reach: the objects, and the texts, of which there are so many.
    pub(super) fn reach(&self, roots: impl Iterator<Item = Value>, texts: usize) -> Reached {
        let mut reached = Reached {
            dictionaries: vec![false; self.dictionaries.objects.len()],
            arrays: vec![false; self.arrays.objects.len()],
            strings: vec![false; self.strings.objects.len()],
            texts: vec![false; texts],
            waiting: Vec::new(),
        };
        roots.for_each(|root| reached.note(root));
        while let Some(value) = reached.waiting.pop() {
            match value {
                Value::Dictionary(id) => {
                    for (key, value) in self.dictionary(id).entries() {
                        reached.note((*key).into());
                        reached.note(*value);
                    }
                }
                Value::Array(slice) => {
                    // All of it: another part of the same array may be in use too.
                    let elements = &self.arrays.objects[slice.id as usize];
                    elements.iter().for_each(|element| reached.note(*element));
                }
                _ => {}
            }
        }
        reached
    }

    /// Frees every object that was not reached. `texts` is what the texts take that stay.
    pub(super) fn sweep(&mut self, reached: &Reached, texts: usize) {
        let dictionaries = self.dictionaries.sweep(
            &reached.dictionaries,
            |dictionary| DICTIONARY_COST + dictionary.entries().len() * ENTRY,
            Dictionary::clear,
        );
        let arrays =
            self.arrays.sweep(&reached.arrays, |array| array_cost(array.len()), |array| *array = Vec::new());
        let strings = self.strings.sweep(
            &reached.strings,
            |string| string_cost(string.bytes.len()),
            |string| *string = Bytes::default(),
        );
        self.used = dictionaries + arrays + strings + texts;
        self.due = self.used.saturating_add(self.used.max(PAUSE)).min(self.limit);
    }
}

/// What can be reached.
pub(super) struct Reached {
    dictionaries: Vec<bool>,
    arrays: Vec<bool>,
    strings: Vec<bool>,
    /// The texts.
    pub(super) texts: Vec<bool>,
    waiting: Vec<Value>,
}

impl Reached {
    fn note(&mut self, value: Value) {
        let mark = match value {
            Value::Dictionary(id) => &mut self.dictionaries[id.0 as usize],
            Value::Array(slice) => &mut self.arrays[slice.id as usize],
            Value::String(slice) => &mut self.strings[slice.id as usize],
            Value::Text(id) => &mut self.texts[id.index()],
            _ => return,
        };
        let is_new = !std::mem::replace(mark, true);
        if is_new && matches!(value, Value::Dictionary(_) | Value::Array(_)) {
            self.waiting.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::dictionary::Key;

    fn key(value: Value) -> Key {
        Key::of(value).unwrap()
    }

    const ONE: Value = Value::Number(1.0);

    #[test]
    fn a_collection_frees_what_is_out_of_reach_and_nothing_else() {
        let mut heap = Heap::new(usize::MAX);
        let [root, as_key, as_value, lost, lost_too] = std::array::from_fn(|_| heap.new_dictionary());
        let value = Value::Dictionary;
        let array = heap.new_array(vec![value(as_value), Value::Null]);
        let lost_array = heap.new_array(vec![value(lost)]);
        let string = heap.new_string(b"kept".to_vec(), false);
        heap.new_string(b"lost".to_vec(), false);
        heap.dictionary_mut(root)
            .insert(key(value(as_key)), Value::Array(Slice { start: 1, length: 1, ..array }));
        heap.dictionary_mut(as_key).insert(key(ONE), Value::String(string));
        heap.dictionary_mut(as_value).insert(key(ONE), value(root));
        heap.dictionary_mut(lost).insert(key(ONE), value(lost_too));
        heap.dictionary_mut(lost_too).insert(key(ONE), Value::Array(lost_array));
        let reached = heap.reach([value(root), Value::Number(0.0)].into_iter(), 0);
        heap.sweep(&reached, 0);
        assert_eq!(heap.dictionaries.free, [lost.0, lost_too.0]);
        assert_eq!((&heap.arrays.free[..], &heap.strings.free[..]), (&[lost_array.id][..], &[1][..]));
        assert!(heap.dictionary(lost).entries().is_empty());
        assert_eq!(heap.dictionary(as_value).get(key(ONE)), Some(value(root)));
        assert_eq!((heap.array(array).len(), heap.string(string)), (2, &b"kept"[..]));
        assert_eq!(heap.new_dictionary(), lost_too);
    }

    #[test]
    fn a_long_chain_is_reached_and_dropped_without_recursion() {
        let mut heap = Heap::new(usize::MAX);
        let first = heap.new_dictionary();
        let mut last = Value::Dictionary(first);
        for _ in 0..150_000 {
            let array = heap.new_array(vec![last]);
            let next = heap.new_dictionary();
            heap.dictionary_mut(next).insert(key(ONE), Value::Array(array));
            last = Value::Dictionary(next);
        }
        let reached = heap.reach(std::iter::once(last), 0);
        heap.sweep(&reached, 0);
        assert!(heap.dictionaries.free.is_empty() && heap.arrays.free.is_empty());
        let reached = heap.reach(std::iter::empty(), 0);
        heap.sweep(&reached, 0);
        assert_eq!(heap.used, 0);
        assert_eq!(heap.dictionaries.free.len(), 150_001);
    }

    #[test]
    fn bytes_are_taken_up_to_the_limit() {
        let mut heap = Heap::new(100);
        assert!(heap.take(60) && !heap.take(41) && heap.take(40) && !heap.take(usize::MAX));
        heap.give_back(10);
        assert!(heap.room() == 10 && heap.take(10));
    }
}
