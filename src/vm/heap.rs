//! The heap: all dictionaries, arrays and strings of a running program, and the collection of those out of reach.
//!
//! They name each other by id, so no chain of them, however long, is ever walked by recursion.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::dictionary::Dictionary;
use super::value::{Packed, Value};

/// A dictionary of a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DictionaryId(pub(super) u32);

/// An array of a running program: a whole one, or a part of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArrayId(pub(super) u32);

/// A string of a running program that was made at run time: a whole one, or a part of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StringId(pub(super) u32);

/// Where the elements of an array or string are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slice {
    /// The whole array or string.
    pub(super) whole: u32,
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Slice {
    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }

    /// A part of it, which lies within it.
    pub(super) const fn part(self, start: usize, length: usize) -> Self {
        Self { whole: self.whole, start: self.start + start as u32, length: length as u32 }
    }
}

/// [`Heap::pause`], but in tests.
const PAUSE: usize = 32 << 20;

/// What each object takes besides what it holds, in bytes.
const OBJECT: usize = 64;
/// What an entry of a dictionary takes, in bytes, with its share of the index.
pub(super) const ENTRY: usize = 48;

/// What an array of so many elements takes, in bytes.
pub(super) const fn array_cost(length: usize) -> usize {
    OBJECT + length * size_of::<Packed>()
}

/// What a string of so many bytes takes.
pub(super) const fn string_cost(length: usize) -> usize {
    OBJECT + length
}

/// What an empty dictionary takes.
pub(super) const DICTIONARY_COST: usize = 2 * OBJECT;

/// What a part of an array or string takes.
pub(super) const PART_COST: usize = 2 * OBJECT;

/// An array or string.
#[derive(Debug)]
enum Object<T> {
    /// A whole one.
    Whole { elements: Vec<T>, is_read_only: bool },
    /// A part of a whole one.
    Part(Slice),
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self::Whole { elements: Vec::new(), is_read_only: true }
    }
}

/// All arrays or all strings.
#[derive(Debug)]
struct Sequences<T> {
    arena: Arena<Object<T>>,
    /// The parts: there is one of each, so that two are the same when their ids are.
    parts: HashMap<Slice, u32, RandomState>,
}

impl<T: Copy> Sequences<T> {
    fn new() -> Self {
        Self { arena: Arena::new(), parts: HashMap::default() }
    }

    fn add(&mut self, elements: Vec<T>, is_read_only: bool) -> u32 {
        self.arena.add(Object::Whole { elements, is_read_only })
    }

    /// Where the elements are.
    fn slice(&self, id: u32) -> Slice {
        match &self.arena.objects[id as usize] {
            Object::Whole { elements, .. } => Slice { whole: id, start: 0, length: elements.len() as u32 },
            Object::Part(slice) => *slice,
        }
    }

    #[inline]
    fn get(&self, id: u32) -> &[T] {
        match &self.arena.objects[id as usize] {
            Object::Whole { elements, .. } => elements,
            Object::Part(slice) => &self.whole(slice.whole)[slice.range()],
        }
    }

    fn whole(&self, id: u32) -> &[T] {
        match &self.arena.objects[id as usize] {
            Object::Whole { elements, .. } => elements,
            // Parts are parts of whole ones.
            Object::Part(_) => &[],
        }
    }

    /// The elements, if they may be written to.
    #[inline]
    fn get_mut(&mut self, id: u32) -> Option<&mut [T]> {
        let (id, range) = match &self.arena.objects[id as usize] {
            Object::Whole { elements, .. } => (id, 0..elements.len()),
            Object::Part(slice) => (slice.whole, slice.range()),
        };
        match &mut self.arena.objects[id as usize] {
            Object::Whole { elements, is_read_only: false } => Some(&mut elements[range]),
            _ => None,
        }
    }

    /// The id of a part.
    fn part(&mut self, slice: Slice) -> u32 {
        if self.slice(slice.whole) == slice {
            return slice.whole;
        }
        let arena = &mut self.arena;
        *self.parts.entry(slice).or_insert_with(|| arena.add(Object::Part(slice)))
    }

    /// Copies elements to another place for as many, which may overlap the first and may be written to.
    fn copy(&mut self, from: Slice, to: Slice) {
        let Object::Whole { elements, is_read_only } =
            std::mem::take(&mut self.arena.objects[from.whole as usize])
        else {
            return;
        };
        let mut elements = elements;
        if from.whole == to.whole {
            elements.copy_within(from.range(), to.start as usize);
        } else if let Some(all) = self.get_mut(to.whole) {
            all[to.range()].copy_from_slice(&elements[from.range()]);
        }
        self.arena.objects[from.whole as usize] = Object::Whole { elements, is_read_only };
    }

    /// Empties every object that was not reached, and adds up what the others cost.
    fn sweep(&mut self, reached: &[bool], cost: impl Fn(usize) -> usize) -> usize {
        self.parts.retain(|_, id| reached[*id as usize]);
        let cost = |object: &Object<T>| match object {
            Object::Whole { elements, .. } => cost(elements.len()),
            Object::Part(_) => PART_COST,
        };
        self.arena.sweep(reached, cost, |object| *object = Object::default())
    }
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
    arrays: Sequences<Packed>,
    strings: Sequences<u8>,
    /// What all objects take, about, in bytes.
    used: usize,
    /// A collection is due when `used` would pass this.
    due: usize,
    /// So many bytes are made, at least, between two collections.
    pause: usize,
    /// What the objects may take.
    limit: usize,
}

impl Heap {
    pub(super) fn new(limit: usize) -> Self {
        let due = PAUSE.min(limit);
        let (arrays, strings) = (Sequences::new(), Sequences::new());
        Self { dictionaries: Arena::new(), arrays, strings, used: 0, due, pause: PAUSE, limit }
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

    /// From now on there is a collection whenever anything is made.
    #[cfg(test)]
    pub(super) const fn collect_always(&mut self) {
        (self.due, self.pause) = (0, 0);
    }

    /// Gives back bytes that were taken and are not needed.
    pub(super) const fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// How many bytes there can be.
    pub(super) const fn limit(&self) -> usize {
        self.limit
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
    pub(super) fn new_array(&mut self, elements: Vec<Packed>) -> ArrayId {
        ArrayId(self.arrays.add(elements, false))
    }

    /// Makes a string.
    pub(super) fn new_string(&mut self, bytes: Vec<u8>, is_read_only: bool) -> StringId {
        StringId(self.strings.add(bytes, is_read_only))
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
    pub fn array(&self, id: ArrayId) -> &[Packed] {
        self.arrays.get(id.0)
    }

    #[inline]
    pub(super) fn array_mut(&mut self, id: ArrayId) -> &mut [Packed] {
        self.arrays.get_mut(id.0).unwrap_or_default()
    }

    /// The bytes of a string.
    #[inline]
    pub fn string(&self, id: StringId) -> &[u8] {
        self.strings.get(id.0)
    }

    /// The bytes of a string, if they may be written to.
    #[inline]
    pub(super) fn string_mut(&mut self, id: StringId) -> Option<&mut [u8]> {
        self.strings.get_mut(id.0)
    }

    /// Where the elements of an array are.
    pub(super) fn array_slice(&self, id: ArrayId) -> Slice {
        self.arrays.slice(id.0)
    }

    /// Where the bytes of a string are.
    pub(super) fn string_slice(&self, id: StringId) -> Slice {
        self.strings.slice(id.0)
    }

    /// A part of an array, whose cost was taken.
    pub(super) fn part_of_array(&mut self, slice: Slice) -> ArrayId {
        ArrayId(self.arrays.part(slice))
    }

    /// A part of a string, whose cost was taken.
    pub(super) fn part_of_string(&mut self, slice: Slice) -> StringId {
        StringId(self.strings.part(slice))
    }

    /// Copies elements of an array to a place for as many, which may overlap them.
    pub(super) fn copy_array(&mut self, from: Slice, to: Slice) {
        self.arrays.copy(from, to);
    }

    /// Copies bytes of a string to a place for as many, which may overlap them and may be written to.
    pub(super) fn copy_string(&mut self, from: Slice, to: Slice) {
        self.strings.copy(from, to);
    }

    /// Marks what the roots reach: the objects, and the texts, of which there are so many.
    pub(super) fn reach(&self, roots: impl Iterator<Item = Value>, texts: usize) -> Reached {
        let mut reached = Reached {
            dictionaries: vec![false; self.dictionaries.objects.len()],
            arrays: vec![false; self.arrays.arena.objects.len()],
            strings: vec![false; self.strings.arena.objects.len()],
            texts: vec![false; texts],
            waiting: Vec::new(),
        };
        roots.for_each(|root| reached.note(root));
        while let Some(value) = reached.waiting.pop() {
            match value {
                Value::Dictionary(id) => {
                    for (key, value) in self.dictionary(id).entries() {
                        reached.note(key.packed().unpack());
                        reached.note(value.unpack());
                    }
                }
                Value::Array(id) => match &self.arrays.arena.objects[id.0 as usize] {
                    Object::Whole { elements, .. } => {
                        elements.iter().for_each(|value| reached.note(value.unpack()))
                    }
                    // All of it: another part of the same array may be in use too.
                    Object::Part(slice) => reached.note(Value::Array(ArrayId(slice.whole))),
                },
                Value::String(id) => {
                    if let Object::Part(slice) = &self.strings.arena.objects[id.0 as usize] {
                        reached.note(Value::String(StringId(slice.whole)));
                    }
                }
                _ => {}
            }
        }
        reached
    }

    /// Frees every object that was not reached. `texts` is what the texts take that stay, and so many bytes are to be
    /// had without another collection, if the limit allows it.
    pub(super) fn sweep(&mut self, reached: &Reached, texts: usize, wanted: usize) {
        let dictionaries = self.dictionaries.sweep(
            &reached.dictionaries,
            |dictionary| DICTIONARY_COST + dictionary.entries().len() * ENTRY,
            Dictionary::clear,
        );
        let arrays = self.arrays.sweep(&reached.arrays, array_cost);
        let strings = self.strings.sweep(&reached.strings, string_cost);
        self.used = dictionaries + arrays + strings + texts;
        self.due = self.used.saturating_add(self.used.max(self.pause).max(wanted)).min(self.limit);
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
            Value::Array(id) => &mut self.arrays[id.0 as usize],
            Value::String(id) => &mut self.strings[id.0 as usize],
            Value::Text(id) => &mut self.texts[id.index()],
            _ => return,
        };
        let is_new = !std::mem::replace(mark, true);
        if is_new && !matches!(value, Value::Text(_)) {
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
        let value = |id| Packed::from(Value::Dictionary(id));
        let array = heap.new_array(vec![value(as_value), Packed::NULL]);
        let lost_array = heap.new_array(vec![value(lost)]);
        let part = heap.part_of_array(heap.array_slice(array).part(1, 1));
        let lost_part = heap.part_of_array(heap.array_slice(array).part(0, 1));
        assert_eq!(heap.part_of_array(heap.array_slice(part)), part, "a part is the same part again");
        assert_eq!(heap.part_of_array(heap.array_slice(part).part(0, 1)), part);
        let string = heap.new_string(b"kept".to_vec(), false);
        let lost_string = heap.new_string(b"lost".to_vec(), false);
        let insert =
            |heap: &mut Heap, id, new: Value, value| _ = heap.dictionary_mut(id).insert(key(new), value);
        insert(&mut heap, root, Value::Dictionary(as_key), Value::Array(part).into());
        insert(&mut heap, as_key, ONE, Value::String(string).into());
        insert(&mut heap, as_value, ONE, value(root));
        insert(&mut heap, lost, ONE, value(lost_too));
        insert(&mut heap, lost_too, ONE, Value::Array(lost_array).into());
        let reached = heap.reach([Value::Dictionary(root), Value::Number(0.0)].into_iter(), 0);
        heap.sweep(&reached, 0, 0);
        assert_eq!(heap.dictionaries.free, [lost.0, lost_too.0]);
        assert_eq!(heap.arrays.arena.free, [lost_array.0, lost_part.0]);
        assert_eq!(heap.strings.arena.free, [lost_string.0]);
        assert!(heap.dictionary(lost).entries().is_empty());
        assert_eq!(heap.dictionary(as_value).get(key(ONE)), Some(value(root)));
        assert_eq!((heap.array(part), heap.string(string)), (&[Packed::NULL][..], &b"kept"[..]));
        assert_eq!(heap.new_dictionary(), lost_too);
        let again = heap.part_of_array(heap.array_slice(array).part(0, 1));
        assert_eq!((again, heap.array(again)), (lost_part, &[value(as_value)][..]));
    }

    #[test]
    fn a_long_chain_is_reached_and_dropped_without_recursion() {
        let mut heap = Heap::new(usize::MAX);
        let first = heap.new_dictionary();
        let mut last = Value::Dictionary(first);
        for _ in 0..150_000 {
            let array = heap.new_array(vec![last.into()]);
            let next = heap.new_dictionary();
            heap.dictionary_mut(next).insert(key(ONE), Value::Array(array).into());
            last = Value::Dictionary(next);
        }
        let reached = heap.reach(std::iter::once(last), 0);
        heap.sweep(&reached, 0, 0);
        assert!(heap.dictionaries.free.is_empty() && heap.arrays.arena.free.is_empty());
        let reached = heap.reach(std::iter::empty(), 0);
        heap.sweep(&reached, 0, 0);
        assert_eq!(heap.used, 0);
        assert_eq!(heap.dictionaries.free.len(), 150_001);
    }

    #[test]
    fn bytes_are_taken_up_to_the_limit() {
        let mut heap = Heap::new(100);
        assert!(heap.take(60) && !heap.take(41) && heap.take(40) && !heap.take(usize::MAX));
        heap.give_back(10);
        assert!(heap.take(10));
    }
}
