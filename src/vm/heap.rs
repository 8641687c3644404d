//! The heap: all dictionaries, arrays and strings of a running program, and the collection of those out of reach.
//!
//! They name each other by id, so no chain of them, however long, is ever walked by recursion.
//!
//! Each kind has a table that is read by id, `Sequences` and `Dictionaries`, and one row with what all of them hold,
//! so that six pointers, those of the vectors, reach everything: a row of a table is `#[repr(C)]` and says where in the
//! row of elements, bytes or entries its own begin, and how many there are. It is the same for a part as for a whole
//! one. A text is a string, too ([`Texts`]). Whatever makes or frees an object may move the vectors: who holds pointers
//! to them takes them anew after that.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::dictionary::{self, Dictionaries, Dictionary};
use super::names::Texts;
use super::trap::ErrorName;
use super::value::{Packed, Value};
use sequences::Sequences;

mod sequences;

pub(super) use sequences::{Access, Sequence};

/// A dictionary of a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct DictionaryId(pub(super) u32);

/// An array of a running program: a whole one, or a part of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArrayId(pub(super) u32);

/// A string of a running program that was made at run time: a whole one, or a part of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StringId(pub(super) u32);

/// [`Heap::pause`], but in tests.
const PAUSE: usize = 32 << 20;
/// Between two collections that look at little, so many times less is made: what is used again is in the cache then.
const LITTLE: usize = 8;

/// What each object takes besides what it holds, in bytes.
const OBJECT: usize = 32;
/// What an entry of a dictionary takes, in bytes, with its share of the index.
pub(super) const ENTRY: usize = 48;
/// The objects may not take more than this: so there are fewer ids than [`sequences::READ_ONLY`].
const MOST: usize = OBJECT.saturating_mul(sequences::READ_ONLY as usize);

/// What an array of so many elements takes, in bytes.
pub(super) const fn array_cost(length: usize) -> usize {
    OBJECT + length * size_of::<Packed>()
}

/// What a string of so many bytes takes.
pub(super) const fn string_cost(length: usize) -> usize {
    OBJECT + length
}

/// What a dictionary of so many entries takes.
pub(super) const fn dictionary_cost(entries: usize) -> usize {
    DICTIONARY_COST + entries * ENTRY
}

/// What an empty dictionary takes.
pub(super) const DICTIONARY_COST: usize = 3 * OBJECT;

/// Where the bytes in use are counted, and where it stands at what number a collection is due.
pub(super) const USED: usize = std::mem::offset_of!(Heap, used);
pub(super) const DUE: usize = std::mem::offset_of!(Heap, due);
/// Where it stands which id of a dictionary is used next.
pub(super) const FREE: usize = std::mem::offset_of!(Heap, dictionaries) + dictionary::FREE;

/// What a part of an array or string takes.
pub(super) const PART_COST: usize = OBJECT;

/// All objects of a running program.
#[derive(Debug)]
pub struct Heap {
    pub(super) dictionaries: Dictionaries,
    arrays: Sequences<Packed>,
    strings: Sequences<u8>,
    /// The parts of arrays that have been keys: each stands for all that are the same part of the same whole.
    parts: HashMap<Part, ArrayId, RandomState>,
    /// What all objects take, about, in bytes, but for those that were there before the program began.
    used: usize,
    /// What these took.
    own: usize,
    /// A collection is due when `used` would pass this.
    due: usize,
    /// So many bytes are made, at least, between two collections that look at much.
    pause: usize,
    /// What the objects may take.
    limit: usize,
}

/// A part of an array: the whole, where it begins in it, and its length.
type Part = (u32, usize, usize);

impl Heap {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(MOST);
        Self {
            dictionaries: Dictionaries::default(),
            arrays: Sequences::new(),
            strings: Sequences::new(),
            parts: HashMap::default(),
            used: 0,
            own: 0,
            due: (PAUSE / LITTLE).min(limit),
            pause: PAUSE,
            limit,
        }
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

    /// Notes that all dictionaries that there are were made by the machine itself: they count for nothing.
    pub(super) fn own_dictionaries(&mut self) {
        let lengths = (0..self.dictionaries.len() as u32).map(|id| self.dictionaries.get(id).entries().len());
        self.own = lengths.map(dictionary_cost).sum();
    }

    /// From now on there is a collection whenever anything is made.
    #[cfg(test)]
    pub(super) const fn collect_always(&mut self) {
        (self.due, self.pause) = (0, 0);
    }

    /// Counts bytes as used that are surely there.
    #[inline]
    pub(super) const fn charge(&mut self, bytes: usize) {
        self.used += bytes;
    }

    /// Gives back bytes that were taken and are not needed.
    #[inline]
    pub(super) const fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// How many bytes there can be.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Makes an empty dictionary. Its cost was taken, as that of all that is added here.
    #[inline]
    pub(super) fn new_dictionary(&mut self) -> DictionaryId {
        DictionaryId(self.dictionaries.add())
    }

    /// Makes an empty dictionary that only the dictionary stack refers to.
    #[inline]
    pub(super) fn new_private_dictionary(&mut self) -> DictionaryId {
        DictionaryId(self.dictionaries.add_private())
    }

    /// Notes that a value refers to a dictionary from now on.
    #[inline]
    pub(super) fn share(&mut self, id: DictionaryId) {
        self.dictionaries.share(id.0);
    }

    /// Frees a dictionary that has left the dictionary stack, if nothing else refers to it.
    #[inline]
    pub(super) fn free_private(&mut self, id: DictionaryId) {
        if let Some(entries) = self.dictionaries.free_private(id.0) {
            self.give_back(dictionary_cost(entries));
        }
    }

    /// Makes an array, if there is memory for it.
    #[inline]
    pub(super) fn new_array(&mut self, elements: &[Packed]) -> Result<ArrayId, ErrorName> {
        self.arrays.add(elements, Access::Unlimited).map(ArrayId).ok_or(ErrorName::LimitCheck)
    }

    /// Makes an array of nulls.
    #[inline]
    pub(super) fn new_array_of_nulls(&mut self, length: usize) -> Result<ArrayId, ErrorName> {
        self.arrays.add_filled(length, Packed::NULL).map(ArrayId).ok_or(ErrorName::LimitCheck)
    }

    /// Makes a string, if there is memory for it.
    #[inline]
    pub(super) fn new_string(&mut self, bytes: &[u8], access: Access) -> Result<StringId, ErrorName> {
        self.strings.add(bytes, access).map(StringId).ok_or(ErrorName::LimitCheck)
    }

    /// Makes a string of zeros.
    #[inline]
    pub(super) fn new_string_of_zeros(&mut self, length: usize) -> Result<StringId, ErrorName> {
        self.strings.add_filled(length, 0).map(StringId).ok_or(ErrorName::LimitCheck)
    }

    /// Makes a string of the same bytes, which cannot be written to.
    pub(super) fn copy_of_string(&mut self, id: StringId) -> Result<StringId, ErrorName> {
        self.strings.add_copy(id.0, Access::ReadOnly).map(StringId).ok_or(ErrorName::LimitCheck)
    }

    /// Where all arrays are.
    pub(super) fn all_arrays(&mut self) -> (&mut [Sequence], &mut [Packed]) {
        self.arrays.rows()
    }

    /// Where all strings are.
    pub(super) fn all_strings(&mut self) -> (&mut [Sequence], &mut [u8]) {
        self.strings.rows()
    }

    /// A dictionary.
    #[inline]
    pub fn dictionary(&self, id: DictionaryId) -> Dictionary<'_> {
        self.dictionaries.get(id.0)
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

    /// Whether the bytes of a string stay what they are.
    #[inline]
    pub(super) fn is_read_only(&self, id: StringId) -> bool {
        self.strings.place(id.0).is_read_only()
    }

    /// The bytes of a string, if they may be written to.
    #[inline]
    pub(super) fn string_mut(&mut self, id: StringId) -> Option<&mut [u8]> {
        self.strings.get_mut(id.0)
    }

    /// A part of an array, whose cost was taken.
    #[inline]
    pub(super) fn part_of_array(&mut self, id: ArrayId, start: usize, length: usize) -> ArrayId {
        ArrayId(self.arrays.add_part(id.0, start, length))
    }

    /// A part of a string, whose cost was taken.
    #[inline]
    pub(super) fn part_of_string(&mut self, id: StringId, start: usize, length: usize) -> StringId {
        StringId(self.strings.add_part(id.0, start, length))
    }

    /// Whether two arrays are one: the same part of the same whole.
    #[inline]
    pub(super) fn is_same_array(&self, a: ArrayId, b: ArrayId) -> bool {
        a == b || self.arrays.place(a.0) == self.arrays.place(b.0)
    }

    /// The one that stands for all arrays that are the same as this: itself if it is a whole one. Nothing when none
    /// of them has been a key.
    pub(super) fn key_array(&self, id: ArrayId) -> Option<ArrayId> {
        match self.part(id) {
            Some(part) => self.parts.get(&part).copied(),
            None => Some(id),
        }
    }

    /// The same, which is the array itself when there was none.
    pub(super) fn new_key_array(&mut self, id: ArrayId) -> ArrayId {
        match self.part(id) {
            Some(part) => *self.parts.entry(part).or_insert(id),
            None => id,
        }
    }

    fn part(&self, id: ArrayId) -> Option<Part> {
        let (whole, start) = self.arrays.part_of(id.0)?;
        Some((whole, start, self.array(id).len()))
    }

    /// Copies the elements of an array into another, from an index on. They may overlap, and they fit.
    pub(super) fn copy_array(&mut self, from: ArrayId, to: ArrayId, start: usize) {
        self.arrays.copy(from.0, to.0, start);
    }

    /// The same of strings, if they fit and the other may be written to. Tells whether it is so.
    #[inline]
    pub(super) fn copy_string_if_it_fits(&mut self, from: StringId, to: StringId, start: usize) -> bool {
        self.strings.copy_if_it_fits(from.0, to.0, start)
    }

    /// Copies the bytes of a string into another, which may be written to, from an index on. They may overlap, and
    /// they fit.
    pub(super) fn copy_string(&mut self, from: StringId, to: StringId, start: usize) {
        self.strings.copy(from.0, to.0, start);
    }

    /// Marks what the roots reach: the objects, and the texts.
    pub(super) fn reach(&self, roots: impl Iterator<Item = Value>, texts: &Texts) -> Reached {
        let mut reached = Reached {
            dictionaries: vec![false; self.dictionaries.len()],
            arrays: vec![false; self.arrays.len()],
            strings: vec![false; self.strings.len()],
            texts: vec![false; texts.len()],
            loaded: texts.loaded().len() as u32,
            waiting: Vec::new(),
            looks: 0,
        };
        for root in roots.chain(texts.loaded().map(Value::Text)) {
            reached.looks += 1;
            reached.note(root);
        }
        while let Some(value) = reached.waiting.pop() {
            match value {
                Value::Dictionary(id) => {
                    for entry in self.dictionary(id).entries() {
                        reached.note(entry.key.packed().unpack());
                        reached.note(entry.value.unpack());
                    }
                }
                Value::Array(id) => match self.arrays.part_of(id.0) {
                    None => self.array(id).iter().for_each(|value| reached.note(value.unpack())),
                    // All of it: another part of the same array may be in use too.
                    Some((whole, _)) => reached.note(Value::Array(ArrayId(whole))),
                },
                Value::String(id) => {
                    if let Some((whole, _)) = self.strings.part_of(id.0) {
                        reached.note(Value::String(StringId(whole)));
                    }
                }
                Value::Text(name) => reached.note(Value::String(texts.string(name))),
                _ => {}
            }
        }
        reached
    }

    /// Frees every object that was not reached. `texts` is what the texts take that stay, besides their bytes, and so
    /// many bytes are to be had without another collection, if the limit allows it.
    pub(super) fn sweep(&mut self, reached: &Reached, texts: usize, wanted: usize) {
        self.parts.retain(|_, id| reached.arrays[id.0 as usize]);
        let dictionaries = self.dictionaries.sweep(&reached.dictionaries, dictionary_cost);
        let arrays = self.arrays.sweep(&reached.arrays, |_, length| array_cost(length));
        // The texts of the program were there before all other strings, and count for nothing.
        let cost = |id, length| if id < reached.loaded { 0 } else { string_cost(length) };
        let strings = self.strings.sweep(&reached.strings, cost);
        self.used = dictionaries.saturating_sub(self.own) + arrays + strings + texts;
        let looked_at = self.used + self.own + reached.looks * OBJECT;
        let pause = (LITTLE * looked_at).clamp(self.pause / LITTLE, self.pause);
        self.due = self.used.saturating_add(self.used.max(pause).max(wanted)).min(self.limit);
        self.arrays.shrink(PAUSE / size_of::<Packed>());
        self.strings.shrink(PAUSE);
    }
}

/// What can be reached.
pub(super) struct Reached {
    dictionaries: Vec<bool>,
    arrays: Vec<bool>,
    strings: Vec<bool>,
    /// The texts.
    pub(super) texts: Vec<bool>,
    /// How many texts the program was loaded with.
    loaded: u32,
    waiting: Vec<Value>,
    /// How many roots there are.
    looks: usize,
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
        if !std::mem::replace(mark, true) {
            self.waiting.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::dictionary::Key;
    use crate::vm::names::Names;

    fn key(value: Value) -> Key {
        Key::of(value).unwrap()
    }

    const ONE: Value = Value::Number(1.0);

    #[test]
    fn a_collection_frees_what_is_out_of_reach_and_nothing_else() {
        let mut heap = Heap::new(usize::MAX);
        let [root, as_key, as_value, lost, lost_too] = std::array::from_fn(|_| heap.new_dictionary());
        let value = |id| Packed::from(Value::Dictionary(id));
        let array = heap.new_array(&[value(as_value), Packed::NULL]).unwrap();
        let lost_array = heap.new_array(&[value(lost)]).unwrap();
        let part = heap.part_of_array(array, 1, 1);
        let lost_part = heap.part_of_array(array, 0, 1);
        let lost_string = heap.new_string(b"lost", Access::Unlimited).unwrap();
        let string = heap.new_string(b"kept", Access::Unlimited).unwrap();
        let insert = |heap: &mut Heap, id: DictionaryId, new, value| {
            _ = heap.dictionaries.insert(id.0, key(new), value)
        };
        insert(&mut heap, root, Value::Dictionary(as_key), Value::Array(part).into());
        insert(&mut heap, as_key, ONE, Value::String(string).into());
        insert(&mut heap, as_value, ONE, value(root));
        insert(&mut heap, lost, ONE, value(lost_too));
        insert(&mut heap, lost_too, ONE, Value::Array(lost_array).into());
        collect(&mut heap, &[Value::Dictionary(root), Value::Number(0.0)]);
        assert!(heap.dictionary(lost).entries().is_empty());
        assert_eq!(heap.dictionary(as_value).get(key(ONE)), Some(value(root)));
        assert_eq!((heap.array(part), heap.string(string)), (&[Packed::NULL][..], &b"kept"[..]));
        assert_eq!([heap.new_dictionary(), heap.new_dictionary()], [lost, lost_too]);
        assert_eq!(heap.new_string(b"", Access::Unlimited), Ok(lost_string));
        let again = [heap.part_of_array(array, 0, 1), heap.part_of_array(array, 0, 1)];
        assert_eq!(again, [lost_array, lost_part]);
        assert!(heap.is_same_array(again[0], again[1]) && !heap.is_same_array(again[0], part));
        assert_eq!(heap.array(again[1]), [value(as_value)]);
    }

    /// What only the roots keep; there are no texts.
    fn collect(heap: &mut Heap, roots: &[Value]) {
        let texts = Texts::new(&Names::default(), heap);
        let reached = heap.reach(roots.iter().copied(), &texts);
        heap.sweep(&reached, 0, 0);
    }

    #[test]
    fn equal_parts_of_an_array_are_one_key() {
        let mut heap = Heap::new(usize::MAX);
        let array = heap.new_array(&[Packed::NULL; 4]).unwrap();
        let [part, same, other] = [(1, 2), (1, 2), (2, 1)].map(|(at, of)| heap.part_of_array(array, at, of));
        let of_part = heap.part_of_array(other, 0, 1);
        assert_eq!((heap.part_of_array(array, 0, 4), of_part), (array, other));
        assert_eq!([array, part, same].map(|id| heap.key_array(id)), [Some(array), None, None]);
        assert_eq!([same, part, other].map(|id| heap.new_key_array(id)), [same, same, other]);
        // The array moves.
        let moved = heap.new_array(&[Packed::NULL; 3]).unwrap();
        collect(&mut heap, &[Value::Array(same), Value::Array(moved)]);
        let again = heap.part_of_array(array, 1, 2);
        assert_eq!(heap.key_array(again), Some(same));
        collect(&mut heap, &[Value::Array(array)]);
        let again = heap.part_of_array(array, 1, 2);
        assert_eq!(heap.key_array(again), None);
    }

    #[test]
    fn a_long_chain_is_reached_and_dropped_without_recursion() {
        let mut heap = Heap::new(usize::MAX);
        let first = heap.new_dictionary();
        let mut last = Value::Dictionary(first);
        for _ in 0..150_000 {
            let array = heap.new_array(&[last.into()]).unwrap();
            let next = heap.new_dictionary();
            heap.dictionaries.insert(next.0, key(ONE), Value::Array(array).into());
            last = Value::Dictionary(next);
        }
        collect(&mut heap, &[last]);
        assert_eq!(heap.used, 150_000 * (array_cost(1) + ENTRY) + 150_001 * DICTIONARY_COST);
        collect(&mut heap, &[]);
        assert_eq!(heap.used, 0);
        assert_eq!(heap.new_dictionary(), first);
    }

    #[test]
    fn bytes_are_taken_up_to_the_limit() {
        let mut heap = Heap::new(100);
        assert!(heap.take(60) && !heap.take(41) && heap.take(40) && !heap.take(usize::MAX));
        heap.give_back(10);
        assert!(heap.take(10));
    }
}
