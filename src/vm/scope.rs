//! The dictionary stack, and what each name means through it right now.
//!
//! A name's meaning is kept beside it. For a name that was never a key of a dictionary on the stack but the lowest
//! two, no `begin` or `end` can change it (but `systemdict begin` can, and then it is looked up); for another it
//! holds until the next of them. Code may rely on a meaning that stands fast, and is told when it does so no more.

use super::dictionary::Key;
use super::heap::{DictionaryId, Heap};
use super::names::NameId;
use super::program::Program;
use super::value::{Packed, Procedure, Value};
use crate::isa::builtin::Builtin;

/// What a name was found to mean. Native code reads and writes the value, the state and the place.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Meaning {
    /// The value; [`Packed::NOTHING`] when the name is undefined.
    pub(super) value: Packed,
    /// The state of the dictionary stack for which it holds, or [`ALWAYS`].
    pub(super) state: u64,
    /// Where the name stood as a key in the dictionary in which it was found or stored last.
    pub(super) place: u32,
    trust: Trust,
    /// Whether code relies on it that the name's value is the one in the program's dictionary, at the same place.
    is_fixed: bool,
}

/// Whether code relies on a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It does not yet.
    NotYet,
    /// It does.
    Given,
    /// It did once, and the meaning changed: it never will again.
    Lost,
}

/// The meaning holds whatever the dictionary stack is.
pub(super) const ALWAYS: u64 = u64::MAX;
/// Where it stands how many dictionaries are on the stack, and the number of its state.
pub(super) const HEIGHT: usize = std::mem::offset_of!(Scope, height);
pub(super) const STATE: usize = std::mem::offset_of!(Scope, state);

/// The meaning must be looked up.
pub(super) const NEVER: u64 = 0;

/// The meaning of what is no key anywhere.
const UNDEFINED: Meaning =
    Meaning { value: Packed::NOTHING, state: ALWAYS, place: 0, trust: Trust::NotYet, is_fixed: false };

/// The dictionary stack.
#[derive(Debug)]
pub(super) struct Scope {
    system: DictionaryId,
    program: DictionaryId,
    /// systemdict, the program's dictionary, then what was begun; above the height anything.
    stack: Vec<DictionaryId>,
    height: usize,
    meanings: Vec<Meaning>,
    /// The names of the operators.
    operators: Vec<NameId>,
    /// A number that no other state of the stack has.
    state: u64,
    /// The names whose meanings code may rely on no more.
    changed: Vec<NameId>,
}

impl Scope {
    /// Makes systemdict and the program's dictionary.
    pub(super) fn new(program: &Program, heap: &mut Heap) -> Self {
        let (system, own) = (heap.new_dictionary(), heap.new_dictionary());
        let mut scope = Self {
            system,
            program: own,
            stack: vec![system, own],
            height: 2,
            meanings: vec![UNDEFINED; program.names().len()],
            operators: Builtin::ALL.iter().map(|operator| program.operator_name(*operator)).collect(),
            state: NEVER + 1,
            changed: Vec::new(),
        };
        heap.dictionaries.note_begun(system.0);
        heap.dictionaries.note_begun(own.0);
        for (operator, name) in Builtin::ALL.iter().zip(scope.operators.clone()) {
            scope.fill(heap, system, name, Value::Operator(*operator).into());
        }
        for (symbol, unit) in program.symbols().zip(0..) {
            scope.fill(heap, own, program.symbol_id(symbol), Packed::procedure(Procedure(unit)));
        }
        heap.own_dictionaries();
        scope
    }

    /// Fills one of the two lowest dictionaries.
    fn fill(&mut self, heap: &mut Heap, dictionary: DictionaryId, name: NameId, value: Packed) {
        let (place, _) = heap.dictionaries.insert(dictionary.0, Key::name(name), value);
        self.meanings[name.index()] = Meaning { value, place, ..UNDEFINED };
    }

    pub(super) fn system(&self) -> DictionaryId {
        self.system
    }

    /// The dictionary on top.
    #[inline]
    pub(super) fn current(&self) -> DictionaryId {
        self.dictionaries().last().copied().unwrap_or(self.program)
    }

    /// The dictionaries, the lowest first.
    pub(super) fn dictionaries(&self) -> &[DictionaryId] {
        &self.stack[..self.height]
    }

    /// The row in which they are, which may be longer.
    pub(super) fn row(&mut self) -> &mut [DictionaryId] {
        &mut self.stack
    }

    /// Puts a dictionary on top.
    #[inline]
    fn push(&mut self, dictionary: DictionaryId) {
        if self.height == self.stack.len() {
            self.stack.resize(2 * self.height, self.program);
        }
        self.stack[self.height] = dictionary;
        self.height += 1;
        self.state += 1;
    }

    /// The first dictionary from the top that has a key.
    pub(super) fn holder(&self, heap: &Heap, key: Key) -> Option<DictionaryId> {
        self.dictionaries().iter().rev().copied().find(|id| heap.dictionary(*id).get(key).is_some())
    }

    /// Puts a new dictionary on top, which is freed when it leaves the stack unless it is a value by then.
    #[inline]
    pub(super) fn begin_new(&mut self, heap: &mut Heap) -> DictionaryId {
        let new = heap.new_private_dictionary();
        self.push(new);
        new
    }

    pub(super) fn begin(&mut self, heap: &mut Heap, dictionary: DictionaryId) {
        self.push(dictionary);
        if dictionary == self.system {
            // Operators can now stand above procedures of the same names.
            (0..self.operators.len()).for_each(|at| self.localize(self.operators[at]));
        } else if dictionary != self.program && heap.dictionaries.note_begun(dictionary.0) {
            let entries = heap.dictionary(dictionary).entries().iter();
            entries.filter_map(|entry| entry.key.as_name()).for_each(|name| self.localize(name));
        }
    }

    /// Removes the dictionary on top, unless it is one of the lowest two.
    /// Tells whether it did.
    #[inline]
    pub(super) fn end(&mut self, heap: &mut Heap) -> bool {
        let is_there = self.height > 2;
        if is_there {
            self.height -= 1;
            self.state += 1;
            heap.free_private(self.stack[self.height]);
        }
        is_there
    }

    /// From now on the dictionary stack can change what a name means.
    fn localize(&mut self, name: NameId) {
        self.distrust(name);
        self.loosen(name);
        self.meanings[name.index()].state = NEVER;
    }

    fn distrust(&mut self, name: NameId) {
        let meaning = &mut self.meanings[name.index()];
        if meaning.trust == Trust::Given {
            meaning.trust = Trust::Lost;
            self.changed.push(name);
        }
    }

    fn loosen(&mut self, name: NameId) {
        if std::mem::take(&mut self.meanings[name.index()].is_fixed) {
            self.changed.push(name);
        }
    }

    /// Stores a value in a dictionary. Tells whether the key is new in it.
    #[inline]
    pub(super) fn store(&mut self, heap: &mut Heap, id: DictionaryId, key: Key, value: Packed) -> bool {
        let Some(name) = key.as_name() else { return heap.dictionaries.insert(id.0, key, value).1 };
        let meaning = &mut self.meanings[name.index()];
        let is_new = !heap.dictionaries.replace_at(id.0, meaning.place, key, value) && {
            let (place, is_new) = heap.dictionaries.insert(id.0, key, value);
            meaning.place = place;
            is_new
        };
        if heap.dictionary(id).is_begun() {
            if meaning.state == ALWAYS && id == self.program && meaning.trust != Trust::Given {
                meaning.value = value;
            } else {
                self.restore(id, name, value);
            }
        }
        is_new
    }

    /// Defines a name that is new in the current dictionary, which is not systemdict, if no code relies on the name.
    /// Tells whether it is new.
    #[inline]
    pub(super) fn define(&mut self, heap: &mut Heap, name: NameId, value: Packed) -> bool {
        let id = self.current();
        let (place, is_new) = heap.dictionaries.insert(id.0, Key::name(name), value);
        let meaning = &mut self.meanings[name.index()];
        (meaning.value, meaning.place) = (value, place);
        if meaning.state != ALWAYS || id != self.program {
            meaning.state = self.state;
        }
        is_new
    }

    /// Replaces the value that a name has in the current dictionary, if it has one and no code relies on it.
    /// Tells whether it does.
    #[inline]
    pub(super) fn replace(&mut self, heap: &mut Heap, name: NameId, value: Packed) -> bool {
        let id = self.current();
        let meaning = &mut self.meanings[name.index()];
        let is_there = meaning.trust != Trust::Given
            && id != self.system
            && heap.dictionaries.replace_at(id.0, meaning.place, Key::name(name), value);
        if is_there {
            meaning.value = value;
            if meaning.state != ALWAYS {
                meaning.state = self.state;
            }
        }
        is_there
    }

    /// Notes that a name has a new value in a dictionary that is or was on the stack.
    fn restore(&mut self, id: DictionaryId, name: NameId, value: Packed) {
        self.distrust(name);
        let (is_on_top, state) = (id == self.current(), self.state);
        if id != self.program {
            self.loosen(name);
        }
        let meaning = &mut self.meanings[name.index()];
        meaning.state = match meaning.state {
            ALWAYS if id == self.program => ALWAYS,
            _ if is_on_top => state,
            _ => NEVER,
        };
        meaning.value = value;
    }

    /// Removes a key from a dictionary.
    pub(super) fn remove(&mut self, heap: &mut Heap, id: DictionaryId, key: Key) {
        let is_scope = heap.dictionary(id).is_begun();
        let last = heap.dictionary(id).entries().last().map(|entry| entry.key);
        if !heap.dictionaries.remove(id.0, key) || !is_scope {
            return;
        }
        // The last has moved.
        [Some(key), last].into_iter().flatten().filter_map(Key::as_name).for_each(|name| self.localize(name));
    }

    /// What a name means; [`Packed::NOTHING`] when it is undefined.
    #[inline(always)]
    pub(super) fn find(&mut self, heap: &Heap, name: NameId) -> Packed {
        let meaning = &self.meanings[name.index()];
        if meaning.state == ALWAYS || meaning.state == self.state {
            return meaning.value;
        }
        self.search(heap, name)
    }

    #[inline(never)]
    fn search(&mut self, heap: &Heap, name: NameId) -> Packed {
        let key = Key::name(name);
        let meaning = &mut self.meanings[name.index()];
        let stack = &self.stack[..self.height];
        let top = stack.last().map(|top| heap.dictionary(*top));
        let value = top.and_then(|top| top.at(meaning.place, key)).or_else(|| {
            let dictionaries = stack.iter().rev().map(|id| heap.dictionary(*id));
            let found =
                dictionaries.filter_map(|dictionary| Some((dictionary, dictionary.position(key)?))).next();
            found.map(|(dictionary, place)| {
                meaning.place = place as u32;
                dictionary.entries()[place].value
            })
        });
        meaning.value = value.unwrap_or(Packed::NOTHING);
        meaning.state = self.state;
        meaning.value
    }

    /// The operator or procedure that a name means, when nothing on the stack can change that. Code may rely on it
    /// until [`Self::take_changed`] names it.
    pub(super) fn trusted(&mut self, name: NameId) -> Option<Value> {
        let meaning = &mut self.meanings[name.index()];
        // What native code stores is no matter of trust.
        let is_data = meaning.is_fixed || !meaning.value.is_code();
        if meaning.state != ALWAYS || meaning.trust == Trust::Lost || is_data {
            return None;
        }
        meaning.trust = Trust::Given;
        Some(meaning.value.unpack())
    }

    /// Where in the program's dictionary the value of a name stands, when nothing on the stack can change that, and
    /// it is no procedure or operator now. Code may rely on it until [`Self::take_changed`] names it.
    pub(super) fn fixed(&mut self, heap: &Heap, name: NameId) -> Option<u32> {
        let meaning = &mut self.meanings[name.index()];
        let place = heap.dictionary(self.program).position(Key::name(name))?;
        meaning.is_fixed |= meaning.state == ALWAYS && meaning.value.is_data();
        meaning.is_fixed.then_some(place as u32)
    }

    /// Where a name stood as a key when it was last looked for, if that depends on the dictionary stack.
    pub(super) fn local(&self, name: NameId) -> Option<u32> {
        let meaning = &self.meanings[name.index()];
        (meaning.state != ALWAYS).then_some(meaning.place)
    }

    /// The program's dictionary.
    pub(super) const fn program(&self) -> DictionaryId {
        self.program
    }

    /// What all names mean.
    pub(super) fn meanings_mut(&mut self) -> &mut [Meaning] {
        &mut self.meanings
    }

    /// Whether code relies on the meaning of a name.
    #[inline]
    pub(super) fn is_trusted(&self, name: NameId) -> bool {
        let meaning = &self.meanings[name.index()];
        meaning.trust == Trust::Given || meaning.is_fixed
    }

    /// Whether a name means a procedure or an operator, as far as is known without a search.
    pub(super) fn is_code(&self, name: NameId) -> bool {
        self.meanings[name.index()].value.is_code()
    }

    /// A name whose meaning code may rely on no more.
    #[inline]
    pub(super) fn take_changed(&mut self) -> Option<NameId> {
        self.changed.pop()
    }

    /// Makes room for the meanings of so many texts.
    pub(super) fn grow(&mut self, texts: usize) {
        self.meanings.resize(texts, UNDEFINED);
    }

    /// Notes that a text is forgotten: it is no key of any dictionary.
    pub(super) fn forget(&mut self, name: NameId) {
        self.meanings[name.index()] = UNDEFINED;
    }
}

#[cfg(test)]
mod tests;
