//! The dictionary stack, and what each name means through it right now.
//!
//! A name's meaning is kept beside it. For a name that was never a key of any dictionary but the program's and
//! systemdict, no `begin` or `end` can change it (but `systemdict begin` can, and then it is looked up);
//! for another it holds until the next of them.

use super::dictionary::Key;
use super::heap::{DictionaryId, Heap};
use super::names::NameId;
use super::program::Program;
use super::value::Value;
use crate::isa::builtin::Builtin;

/// What a name was found to mean.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    value: Option<Value>,
    /// The state of the dictionary stack for which it holds, or [`ALWAYS`].
    state: u64,
}

/// The meaning holds whatever the dictionary stack is.
const ALWAYS: u64 = u64::MAX;
/// The meaning must be looked up.
const NEVER: u64 = 0;

/// The dictionary stack.
#[derive(Debug)]
pub(super) struct Scope {
    system: DictionaryId,
    program: DictionaryId,
    /// systemdict, the program's dictionary, then what was begun.
    stack: Vec<DictionaryId>,
    meanings: Vec<Meaning>,
    /// A number that no other state of the stack has.
    state: u64,
}

impl Scope {
    /// Makes systemdict and the program's dictionary.
    pub(super) fn new(program: &Program, heap: &mut Heap) -> Self {
        let (system, own) = (heap.allocate(), heap.allocate());
        let undefined = Meaning { value: None, state: ALWAYS };
        let mut scope = Self {
            system,
            program: own,
            stack: vec![system, own],
            meanings: vec![undefined; program.names().len()],
            state: NEVER + 1,
        };
        for operator in Builtin::ALL {
            scope.store(heap, system, program.operator_name(*operator), Value::Operator(*operator));
        }
        for (name, procedure) in program.procedures() {
            scope.store(heap, own, name, Value::Procedure(procedure));
        }
        scope
    }

    /// Fills one of the two lowest dictionaries.
    fn store(&mut self, heap: &mut Heap, dictionary: DictionaryId, name: NameId, value: Value) {
        heap.insert(dictionary, Value::String(name).into(), value);
        self.meanings[name.index()].value = Some(value);
    }

    pub(super) fn system(&self) -> DictionaryId {
        self.system
    }

    /// The dictionary on top.
    pub(super) fn current(&self) -> DictionaryId {
        self.stack.last().copied().unwrap_or(self.program)
    }

    /// The dictionaries, the lowest first.
    pub(super) fn dictionaries(&self) -> &[DictionaryId] {
        &self.stack
    }

    pub(super) fn begin(&mut self, dictionary: DictionaryId, program: &Program) {
        self.stack.push(dictionary);
        self.state += 1;
        if dictionary == self.system {
            // Operators can now stand above procedures of the same names.
            for operator in Builtin::ALL {
                self.meanings[program.operator_name(*operator).index()].state = NEVER;
            }
        }
    }

    /// Removes the dictionary on top, unless it is one of the lowest two.
    pub(super) fn end(&mut self) -> Option<DictionaryId> {
        if self.stack.len() <= 2 {
            return None;
        }
        self.state += 1;
        self.stack.pop()
    }

    /// Stores a value in the current dictionary.
    pub(super) fn define(&mut self, heap: &mut Heap, key: Value, value: Value) {
        let current = self.current();
        heap.insert(current, key.into(), value);
        let Value::String(name) = key else { return };
        // The current dictionary is on top: this is what the name means now.
        let meaning = &mut self.meanings[name.index()];
        let stays = current == self.program && meaning.state == ALWAYS;
        *meaning = Meaning { value: Some(value), state: if stays { ALWAYS } else { self.state } };
    }

    /// What a name means.
    #[inline]
    pub(super) fn find(&mut self, heap: &Heap, name: NameId) -> Option<Value> {
        let meaning = self.meanings[name.index()];
        if meaning.state == ALWAYS || meaning.state == self.state {
            return meaning.value;
        }
        self.search(heap, name)
    }

    fn search(&mut self, heap: &Heap, name: NameId) -> Option<Value> {
        let key = Key::from(Value::String(name));
        let value = self.stack.iter().rev().find_map(|dictionary| heap.get(*dictionary).get(key));
        self.meanings[name.index()] = Meaning { value, state: self.state };
        value
    }
}

#[cfg(test)]
mod tests;
