//! Parts of arrays and strings: what `getinterval`, `putinterval`, `search` and `cvs` do in the plainest cases.
//!
//! Deliberately absent: errors, and collections; then the operators themselves do it.

use super::data::whole;
use crate::vm::heap::PART_COST;
use crate::vm::machine::Machine;
use crate::vm::value::{Packed, Value, Word};

impl Machine<'_> {
    /// `getinterval`
    #[inline]
    pub(in crate::vm) fn plain_part(&mut self, of: Packed, start: Packed, length: Packed) -> Option<Packed> {
        let (of, start, length) = (of.unpack(), whole(start)?, whole(length)?);
        let total = self.plain_length(of)?;
        let is_in = start.checked_add(length).is_some_and(|end| end <= total);
        (is_in && self.heap.take(PART_COST)).then(|| self.part(of, start, length).into())
    }

    /// `putinterval`. Tells whether it did.
    #[inline]
    pub(in crate::vm) fn set_plain_part(&mut self, into: Packed, start: Packed, part: Packed) -> bool {
        let (into, part) = (into.unpack(), part.unpack());
        let lengths = self.plain_length(into).zip(self.plain_length(part));
        let Some(((total, length), start)) = lengths.zip(whole(start)) else { return false };
        let is_alike = match (into, part) {
            (Value::Array(_), Value::Array(_)) => true,
            (Value::String(id), Value::String(_) | Value::Text(_)) => self.heap.string_mut(id).is_some(),
            _ => false,
        };
        let fits = is_alike && start.checked_add(length).is_some_and(|end| end <= total);
        if fits {
            self.write_part(into, start, part);
        }
        fits
    }

    /// `search`: what is after, at and before the place, if there is one.
    #[inline]
    pub(in crate::vm) fn plain_search(&mut self, whole: Packed, seek: Packed) -> Option<Option<[Packed; 3]>> {
        let (whole, seek) = (whole.unpack(), seek.unpack());
        let (bytes, sought) = (self.text(whole).bytes()?, self.text(seek).bytes()?);
        let (total, length) = (bytes.len(), sought.len());
        let at = match sought {
            [byte] => memchr::memchr(*byte, bytes),
            _ => memchr::memmem::find(bytes, sought),
        };
        let Some(at) = at else { return Some(None) };
        let is_free = self.heap.take(3 * PART_COST);
        is_free.then(|| {
            let parts = [(at + length, total - at - length), (at, length), (0, at)];
            Some(parts.map(|(start, length)| self.part(whole, start, length).into()))
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
        Some(self.part(into.unpack(), 0, length).into())
    }

    /// The length of an array or string.
    #[inline]
    fn plain_length(&self, of: Value) -> Option<usize> {
        match of {
            Value::Array(id) => Some(self.heap.array(id).len()),
            Value::String(id) => Some(self.heap.string(id).len()),
            Value::Text(name) => Some(self.heap.string(self.texts.string(name)).len()),
            _ => None,
        }
    }
}
