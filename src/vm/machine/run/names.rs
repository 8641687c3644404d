//! Names at full speed: what they mean, and definitions.

use super::Sprint;
use crate::vm::code::{Address, Op};
use crate::vm::heap::{DICTIONARY_COST, ENTRY};
use crate::vm::machine::Machine;
use crate::vm::names::NameId;
use crate::vm::value::{Packed, Value};

impl Sprint<'_, '_> {
    /// Pushes the value of a name, or enters the procedure that it means.
    #[inline(always)]
    pub(super) fn name(&mut self, now: Address, name: NameId) -> bool {
        let machine = &mut *self.machine;
        let value = machine.scope.find(&machine.heap, name);
        if value.is_data() {
            return self.push(value);
        }
        let Value::Procedure(procedure) = value.unpack() else { return false };
        let body = machine.code.body(procedure, &mut machine.scope);
        if machine.scope.trusted(name).is_some() {
            machine.code.trust(now, name, body);
        }
        self.enter(body, name)
    }

    /// The value of a name in a fused operation, if it is one that is pushed. If it is executed, the operation is
    /// taken back for ever.
    #[inline(always)]
    fn value(&mut self, now: Address, name: NameId) -> Option<Packed> {
        let machine = &mut *self.machine;
        let value = machine.scope.find(&machine.heap, name);
        if value.is_code() {
            machine.code.separate(now);
        }
        value.is_data().then_some(value)
    }

    #[inline(always)]
    pub(super) fn names(&mut self, now: Address, first: NameId, second: NameId) -> bool {
        let values = self.value(now, first).zip(self.value(now, second));
        values.is_some_and(|(a, b)| self.push_two(a, b) && self.skip(1))
    }

    #[inline(always)]
    pub(super) fn get_names(&mut self, now: Address, first: NameId, second: NameId) -> bool {
        let values = self.value(now, first).zip(self.value(now, second));
        let element = values.and_then(|(holder, key)| self.machine.element(holder, key));
        element.is_some_and(|element| self.push(element) && self.skip(2))
    }

    #[inline(always)]
    pub(super) fn get_by(&mut self, now: Address, name: NameId) -> bool {
        let operands = self.top().zip(self.value(now, name));
        let element = operands.and_then(|(holder, key)| self.machine.element(holder, key));
        element.is_some_and(|element| self.set_top(element) && self.skip(1))
    }

    #[inline(always)]
    pub(super) fn arithmetic_by(
        &mut self,
        now: Address,
        name: NameId,
        function: impl Fn(f64, f64) -> f64,
    ) -> bool {
        let second = self.value(now, name).and_then(Packed::as_number);
        second.is_some_and(|second| self.arithmetic_with(second, function))
    }

    #[inline(always)]
    pub(super) fn branch_on_name(
        &mut self,
        now: Address,
        name: NameId,
        compare: impl Fn(f64, f64) -> bool,
    ) -> bool {
        let second = self.value(now, name).and_then(Packed::as_number);
        second.is_some_and(|second| self.branch_on_number(second, compare))
    }
}

/// Definitions.
impl Sprint<'_, '_> {
    #[inline(always)]
    pub(super) fn def(&mut self) -> bool {
        let [key, value] = self.operands();
        let is_done = self.machine.define_key(key, value);
        self.height -= if is_done { 2 } else { 0 };
        is_done
    }

    #[inline(always)]
    pub(super) fn define(&mut self, name: NameId) -> bool {
        let value = self.top();
        value.is_some_and(|value| self.replace(name, value) || self.define_new(name, value)) && {
            self.height -= 1;
            self.skip(2)
        }
    }

    #[inline(always)]
    pub(super) fn define_number(&mut self, name: NameId) -> bool {
        let Op::Number(number) = self.machine.code.ops[self.at as usize] else { return false };
        self.replace(name, Packed::number(number)) && self.skip(2)
    }

    #[inline(always)]
    pub(super) fn increase(&mut self, name: NameId) -> bool {
        let by = match self.machine.code.ops[self.at as usize + 1] {
            Op::AddNumber(number) => number,
            Op::SubNumber(number) => -number,
            _ => return false,
        };
        let value = self.machine.scope.find(&self.machine.heap, name).as_number();
        let result = value.map(|value| Packed::number(value + by)).filter(|result| result.is_number());
        result.is_some_and(|result| self.replace(name, result)) && self.skip(4)
    }

    /// Replaces the value that a name has in the current dictionary.
    #[inline(always)]
    fn replace(&mut self, name: NameId, value: Packed) -> bool {
        self.machine.scope.replace(&mut self.machine.heap, name, value)
    }

    /// Defines a name that is new in the current dictionary, if that needs no collection and no code relies on it.
    #[inline(always)]
    fn define_new(&mut self, name: NameId, value: Packed) -> bool {
        self.machine.define_new(name, value)
    }

    /// Begins a new dictionary, if that needs no collection.
    #[inline(always)]
    pub(super) fn begin_new(&mut self) -> bool {
        let machine = &mut *self.machine;
        let has_room = machine.scope.dictionaries().len() < self.limit && machine.heap.take(DICTIONARY_COST);
        if has_room {
            machine.scope.begin_new(&mut machine.heap);
        }
        has_room
    }

    /// Begins a dictionary that has been begun before, or has no keys, so that no code relies on them.
    #[inline(always)]
    pub(super) fn begin(&mut self) -> bool {
        let Some(Value::Dictionary(id)) = self.top().map(Packed::unpack) else { return false };
        let machine = &mut *self.machine;
        let dictionary = machine.heap.dictionary(id);
        let is_done = machine.scope.dictionaries().len() < self.limit
            && (dictionary.is_begun() || dictionary.entries().is_empty());
        if is_done {
            machine.scope.begin(&mut machine.heap, id);
        }
        self.height -= usize::from(is_done);
        is_done
    }
}

/// What `def` and `put` do in the plainest cases.
impl Machine<'_> {
    /// Defines a key in the current dictionary, if it is a name, and that needs no collection and no code relies on it.
    #[inline(always)]
    pub(in crate::vm) fn define_key(&mut self, key: Packed, value: Packed) -> bool {
        let Value::Text(name) = key.unpack() else { return false };
        self.scope.replace(&mut self.heap, name, value) || self.define_new(name, value)
    }

    /// Defines a name in the current dictionary, if that needs no collection and no code relies on it.
    #[inline(always)]
    pub(in crate::vm) fn define_new(&mut self, name: NameId, value: Packed) -> bool {
        let current = self.scope.current();
        let is_free = current != self.scope.system() && !self.scope.is_trusted(name) && self.heap.take(ENTRY);
        if is_free && !self.scope.define(&mut self.heap, name, value) {
            self.heap.give_back(ENTRY);
        }
        is_free
    }
}
