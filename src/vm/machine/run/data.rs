//! Operands at full speed: arithmetic, comparison, the stack, arrays and dictionaries.

use super::Sprint;
use crate::vm::dictionary::Key;
use crate::vm::heap::{DictionaryId, ENTRY, Heap};
use crate::vm::machine::Machine;
use crate::vm::names::NameId;
use crate::vm::value::{Packed, Value, is_whole};

/// Operands.
impl Sprint<'_, '_> {
    #[inline(always)]
    pub(super) fn push(&mut self, value: Packed) -> bool {
        let slot = self.machine.stack.slots().get_mut(self.height);
        let is_there = slot.map(|slot| *slot = value).is_some();
        self.height += usize::from(is_there);
        is_there
    }

    #[inline(always)]
    pub(super) fn push_two(&mut self, a: Packed, b: Packed) -> bool {
        let slots = self.machine.stack.slots().get_mut(self.height..self.height + 2);
        let is_there = slots.map(|slots| slots.copy_from_slice(&[a, b])).is_some();
        self.height += if is_there { 2 } else { 0 };
        is_there
    }

    /// The uppermost operands, the top last; nothing in the place of all if they are not there.
    #[inline(always)]
    pub(super) fn operands<const N: usize>(&mut self) -> [Packed; N] {
        let operands = self.machine.stack.slots().get(self.height.wrapping_sub(N)..self.height);
        operands.and_then(|operands| operands.first_chunk().copied()).unwrap_or([Packed::NOTHING; N])
    }

    #[inline(always)]
    pub(super) fn top(&mut self) -> Option<Packed> {
        self.machine.stack.slots().get(self.height.wrapping_sub(1)).copied()
    }

    #[inline(always)]
    pub(super) fn set_top(&mut self, value: Packed) -> bool {
        let slot = self.machine.stack.slots().get_mut(self.height.wrapping_sub(1));
        slot.map(|slot| *slot = value).is_some()
    }

    /// The number on top.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Option<f64> {
        self.top().and_then(Packed::as_number)
    }

    /// The two numbers on top.
    #[inline(always)]
    pub(super) fn numbers(&mut self) -> Option<(f64, f64)> {
        let [a, b] = self.operands();
        a.as_number().zip(b.as_number())
    }
}

/// Arithmetic and comparison.
impl Sprint<'_, '_> {
    #[inline(always)]
    pub(super) fn arithmetic(&mut self, function: impl Fn(f64, f64) -> f64) -> bool {
        let result = self.numbers().map(|(a, b)| Packed::number(function(a, b)));
        result.filter(|result| result.is_number()).is_some_and(|result| {
            self.height -= 1;
            self.set_top(result)
        })
    }

    /// With a second operand that the instruction has.
    #[inline(always)]
    pub(super) fn arithmetic_with(&mut self, number: f64, function: impl Fn(f64, f64) -> f64) -> bool {
        let result = self.number().map(|a| Packed::number(function(a, number)));
        result.filter(|result| result.is_number()).is_some_and(|result| self.set_top(result) && self.skip(1))
    }

    /// Division of whole numbers.
    #[inline(always)]
    pub(super) fn divide(&mut self, function: impl Fn(f64, f64) -> f64) -> bool {
        let operands = self.numbers().filter(|(a, b)| is_whole(*a) && is_whole(*b) && *b != 0.0);
        operands.is_some_and(|(a, b)| {
            self.height -= 1;
            self.set_top(Packed::number(function(a, b)))
        })
    }

    /// By a whole number that is not zero.
    #[inline(always)]
    pub(super) fn divide_by(&mut self, number: f64, function: impl Fn(f64, f64) -> f64) -> bool {
        let dividend = self.number().filter(|a| is_whole(*a));
        dividend.is_some_and(|a| self.set_top(Packed::number(function(a, number))) && self.skip(1))
    }

    #[inline(always)]
    pub(super) fn compare(&mut self, compare: impl Fn(f64, f64) -> bool) -> bool {
        self.numbers().is_some_and(|(a, b)| {
            self.height -= 1;
            self.set_top(Packed::boolean(compare(a, b)))
        })
    }

    #[inline(always)]
    pub(super) fn compare_with(&mut self, number: f64, compare: impl Fn(f64, f64) -> bool) -> bool {
        self.number().is_some_and(|a| self.set_top(Packed::boolean(compare(a, number))) && self.skip(1))
    }

    #[inline(always)]
    pub(super) fn not(&mut self) -> bool {
        let value = self.top().and_then(Packed::as_boolean);
        value.is_some_and(|value| self.set_top(Packed::boolean(!value)))
    }
}

/// The operand stack.
impl Sprint<'_, '_> {
    #[inline(always)]
    pub(super) fn pop(&mut self) -> bool {
        let is_there = self.height > 0;
        self.height -= usize::from(is_there);
        is_there
    }

    #[inline(always)]
    pub(super) fn exch(&mut self) -> bool {
        let operands = self.machine.stack.slots().get_mut(self.height.wrapping_sub(2)..self.height);
        match operands {
            Some([a, b]) => {
                std::mem::swap(a, b);
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    pub(super) fn index(&mut self, depth: usize) -> bool {
        let at = self.height.checked_sub(depth + 1);
        let value = at.and_then(|at| self.machine.stack.slots().get(at).copied());
        value.is_some_and(|value| self.push(value))
    }

    /// With the depth on top.
    #[inline(always)]
    pub(super) fn index_top(&mut self) -> bool {
        let depth =
            self.top().and_then(whole).and_then(|depth| self.height.checked_sub(depth.checked_add(2)?));
        let value = depth.and_then(|at| self.machine.stack.slots().get(at).copied());
        value.is_some_and(|value| self.set_top(value))
    }

    #[inline(always)]
    pub(super) fn copy_two(&mut self) -> bool {
        let [a, b] = self.operands();
        self.height >= 2 && self.push_two(a, b)
    }

    /// Rotates the uppermost values by so many places towards the top.
    #[inline(always)]
    pub(super) fn roll(&mut self, count: u32, by: u32) -> bool {
        let from = self.height.wrapping_sub(count as usize);
        match (self.machine.stack.slots().get_mut(from..self.height), by) {
            (Some([a, b, c]), 1) => (*a, *b, *c) = (*c, *a, *b),
            (Some([a, b, c]), 2) => (*a, *b, *c) = (*b, *c, *a),
            (Some(operands), by) => operands.rotate_right(by as usize),
            (None, _) => return false,
        }
        true
    }
}

/// Arrays, strings and dictionaries.
impl Sprint<'_, '_> {
    #[inline(always)]
    pub(super) fn get(&mut self) -> bool {
        let [holder, key] = self.operands();
        self.machine.element(holder, key).is_some_and(|value| {
            self.height -= 1;
            self.set_top(value)
        })
    }

    #[inline(always)]
    pub(super) fn put(&mut self) -> bool {
        let [holder, key, value] = self.operands();
        let is_put = self.machine.set_element(holder, key, value);
        self.height -= if is_put { 3 } else { 0 };
        is_put
    }

    #[inline(always)]
    pub(super) fn known(&mut self) -> bool {
        let [holder, key] = self.operands();
        let Value::Dictionary(id) = holder.unpack() else { return false };
        let key = match key.unpack() {
            Value::Null | Value::Mark => return false,
            key => self.machine.plain_key(key),
        };
        let is_known = key.is_some_and(|key| self.machine.plain_place(id, key).is_some());
        self.height -= 1;
        self.set_top(Packed::boolean(is_known))
    }
}

/// What `get` and `put` do in the plainest cases.
impl Machine<'_> {
    #[inline]
    pub(in crate::vm) fn element(&self, holder: Packed, key: Packed) -> Option<Packed> {
        match holder.unpack() {
            Value::Array(id) => self.heap.array(id).get(whole(key)?).copied(),
            Value::Dictionary(id) => {
                let place = self.plain_place(id, self.plain_key(key.unpack())?)?;
                self.heap.dictionary(id).entries().get(place as usize).map(|entry| entry.value)
            }
            Value::String(id) => Some(byte(*self.heap.string(id).get(whole(key)?)?)),
            Value::Text(name) => Some(byte(*self.heap.string(self.texts.string(name)).get(whole(key)?)?)),
            _ => None,
        }
    }

    #[inline]
    pub(in crate::vm) fn set_element(&mut self, holder: Packed, key: Packed, value: Packed) -> bool {
        let set = |slot: &mut Packed| *slot = value;
        match holder.unpack() {
            Value::Array(id) => {
                whole(key).and_then(|at| self.heap.array_mut(id).get_mut(at)).map(set).is_some()
            }
            Value::String(id) => {
                let byte = whole(value).and_then(|byte| u8::try_from(byte).ok());
                let slot = whole(key).and_then(|at| self.heap.string_mut(id)?.get_mut(at));
                byte.zip(slot).map(|(byte, slot)| *slot = byte).is_some()
            }
            Value::Dictionary(id) => {
                let key = self.plain_key(key.unpack());
                key.is_some_and(|key| self.set_entry(id, key, value))
            }
            _ => false,
        }
    }

    /// Stores a value in a dictionary, unless code could rely on what it was, or it needs a collection.
    #[inline]
    fn set_entry(&mut self, id: DictionaryId, key: Key, value: Packed) -> bool {
        if id == self.scope.system() {
            return false;
        }
        if let Some(name) = key.as_name().filter(|_| self.heap.dictionary(id).is_begun()) {
            return self.set_meaning(id, name, value);
        }
        if let Some(place) = self.plain_place(id, key) {
            return self.heap.dictionaries.replace_at(id.0, place, key, value);
        }
        self.add_entry(id, key, value)
    }

    /// Stores a value under a key that a dictionary does not have, unless it needs a collection.
    #[inline]
    pub(in crate::vm) fn add_entry(&mut self, id: DictionaryId, key: Key, value: Packed) -> bool {
        let is_free = self.heap.take(ENTRY);
        if is_free {
            let place = self.heap.dictionaries.insert_new(id.0, key, value);
            key.as_name().into_iter().for_each(|name| self.texts.note_place(name, place));
        }
        is_free
    }

    /// The same in a dictionary that is or was on the dictionary stack.
    fn set_meaning(&mut self, id: DictionaryId, name: NameId, value: Packed) -> bool {
        let is_free = !self.scope.is_trusted(name) && self.heap.take(ENTRY);
        if is_free && !self.scope.store(&mut self.heap, id, Key::name(name), value) {
            self.heap.give_back(ENTRY);
        }
        is_free
    }

    /// Where a key stands in a dictionary: a text most likely where it stood last.
    #[inline]
    pub(in crate::vm) fn plain_place(&self, id: DictionaryId, key: Key) -> Option<u32> {
        let dictionary = self.heap.dictionary(id);
        let Some(name) = key.as_name() else { return dictionary.position(key).map(|at| at as u32) };
        let last = self.texts.place(name);
        if dictionary.at(last, key).is_some() {
            return Some(last);
        }
        let place = dictionary.position(key)? as u32;
        self.texts.note_place(name, place);
        Some(place)
    }

    /// The key for a value, if it is one now.
    #[inline]
    pub(in crate::vm) fn plain_key(&self, value: Value) -> Option<Key> {
        match value {
            Value::String(id) => self.texts.find(&self.heap, id).map(Key::name),
            Value::Array(id) => self.heap.key_array(id).map(Key::array),
            _ => Key::of(value),
        }
    }
}

/// How many values the next turn of a `forall` pushes, and these; none at the end. Nothing for a procedure.
#[inline(always)]
pub(in crate::vm) fn values_for_turn(heap: &Heap, of: Value, at: usize) -> Option<(usize, [Packed; 2])> {
    let one = |value| (1, [value, Packed::NULL]);
    let values = match of {
        Value::Array(id) => heap.array(id).get(at).map(|value| one(*value)),
        Value::String(id) => heap.string(id).get(at).map(|value| one(byte(*value))),
        Value::Dictionary(id) => {
            let entry = heap.dictionary(id).entries().get(at);
            entry.map(|entry| (2, [entry.key.packed(), entry.value]))
        }
        _ => return None,
    };
    Some(values.unwrap_or((0, [Packed::NULL; 2])))
}

/// An element of a string.
#[inline(always)]
fn byte(byte: u8) -> Packed {
    Packed::number(f64::from(byte))
}

/// A number as an index, if it is one.
#[inline]
pub(super) fn whole(key: Packed) -> Option<usize> {
    let number = key.as_number()?;
    // The processor has no conversion to greater numbers without a sign.
    let at = number as u32;
    (f64::from(at) == number).then_some(at as usize)
}
