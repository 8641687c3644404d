//! Parts of arrays and strings: what `getinterval`, `putinterval`, `search` and `cvs` do in the plainest cases.
//!
//! Deliberately absent: errors, and collections; then the operators themselves do it.

use super::data::whole;
use crate::vm::heap::{PART_COST, StringId};
use crate::vm::machine::Machine;
use crate::vm::value::{Packed, Value, Word};

impl Machine<'_> {
    /// `getinterval`
    #[inline]
    pub(in crate::vm) fn plain_part(&mut self, of: Packed, start: Packed, length: Packed) -> Option<Packed> {
        let (of, start, length) = (of.unpack(), whole(start)?, whole(length)?);
        if let Some(id) = self.plain_string(of) {
            let end = start.checked_add(length)?;
            let is_in = end <= self.heap.string(id).len() && self.heap.take(PART_COST);
            return is_in.then(|| self.plain_string_part(id, start, length));
        }
        let Value::Array(id) = of else { return None };
        let total = self.heap.array(id).len();
        let is_in = start.checked_add(length).is_some_and(|end| end <= total);
        (is_in && self.heap.take(PART_COST))
            .then(|| Value::Array(self.heap.part_of_array(id, start, length)).into())
    }

    /// `putinterval`. Tells whether it did.
    #[inline]
    pub(in crate::vm) fn set_plain_part(&mut self, into: Packed, start: Packed, part: Packed) -> bool {
        let (into, part) = (into.unpack(), part.unpack());
        if let (Value::String(to), Some(start)) = (into, whole(start)) {
            let from = self.plain_string(part);
            return from.is_some_and(|from| self.heap.copy_string_if_it_fits(from, to, start));
        }
        let (Value::Array(to), Value::Array(from), Some(start)) = (into, part, whole(start)) else {
            return false;
        };
        let end = start.checked_add(self.heap.array(from).len());
        let fits = end.is_some_and(|end| end <= self.heap.array(to).len());
        if fits {
            self.heap.copy_array(from, to, start);
        }
        fits
    }

    /// `search`: what is after, at and before the place, if there is one.
    #[inline]
    pub(in crate::vm) fn plain_search(&mut self, whole: Packed, seek: Packed) -> Option<Option<[Packed; 3]>> {
        let (whole, seek) = (self.plain_string(whole.unpack())?, self.plain_string(seek.unpack())?);
        let (bytes, sought) = (self.heap.string(whole), self.heap.string(seek));
        let (total, length) = (bytes.len(), sought.len());
        let at = match sought {
            [byte] => memchr::memchr(*byte, bytes),
            _ => memchr::memmem::find(bytes, sought),
        };
        let Some(at) = at else { return Some(None) };
        let is_free = self.heap.take(3 * PART_COST);
        is_free.then(|| {
            let parts = [(at + length, total - at - length), (at, length), (0, at)];
            Some(parts.map(|(start, length)| self.plain_string_part(whole, start, length)))
        })
    }

    /// `cvs`
    #[inline]
    pub(in crate::vm) fn plain_text(&mut self, value: Packed, into: Packed) -> Option<Packed> {
        let (Value::String(id), Some(number)) = (into.unpack(), value.as_number()) else { return None };
        let word = Word::of(Value::Number(number));
        let length = word.bytes().len();
        if self.heap.string(id).len() < length || !self.heap.take(PART_COST) {
            return None;
        }
        let Some(bytes) = self.heap.string_mut(id) else {
            self.heap.give_back(PART_COST);
            return None;
        };
        bytes[..length].copy_from_slice(word.bytes());
        Some(self.plain_string_part(id, 0, length))
    }

    /// Where the bytes of a string are.
    #[inline]
    fn plain_string(&self, of: Value) -> Option<StringId> {
        match of {
            Value::String(id) => Some(id),
            Value::Text(name) => Some(self.texts.string(name)),
            _ => None,
        }
    }

    #[inline]
    fn plain_string_part(&mut self, id: StringId, start: usize, length: usize) -> Packed {
        Value::String(self.heap.part_of_string(id, start, length)).into()
    }
}
