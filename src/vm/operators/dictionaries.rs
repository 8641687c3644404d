//! Dictionaries, and the dictionary stack.

use super::{Key, dictionary};
use crate::vm::fault::Fault;
use crate::vm::heap::{DICTIONARY_COST, DictionaryId, ENTRY};
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Packed, Value};

impl Machine<'_> {
    pub(super) fn dict(&mut self) -> Result<(), Fault> {
        self.reserve(DICTIONARY_COST)?;
        let new = self.heap.new_dictionary();
        self.push(Value::Dictionary(new))
    }

    pub(super) fn begin(&mut self) -> Result<(), Fault> {
        let [begun] = self.top()?;
        let begun = dictionary(begun)?;
        if self.scope.dictionaries().len() >= self.stack.limit() {
            return Err(ErrorName::DictStackOverflow.into());
        }
        self.discard(1);
        self.scope.begin(&mut self.heap, begun);
        self.forget_changed();
        Ok(())
    }

    /// Pushes the dictionary on top of the dictionary stack.
    pub(super) fn push_current(&mut self) -> Result<(), Fault> {
        let current = self.scope.current();
        self.heap.share(current);
        self.push(Value::Dictionary(current))
    }

    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if self.scope.end(&mut self.heap) { Ok(()) } else { Err(ErrorName::DictStackUnderflow.into()) }
    }

    pub(super) fn def(&mut self) -> Result<(), Fault> {
        let [key, value] = self.top()?;
        self.put_in(self.scope.current(), key, value)?;
        self.discard(2);
        Ok(())
    }

    pub(super) fn store(&mut self) -> Result<(), Fault> {
        let [key, value] = self.top()?;
        let holder = self.known_key(key)?.and_then(|key| self.scope.holder(&self.heap, key));
        self.put_in(holder.unwrap_or_else(|| self.scope.current()), key, value)?;
        self.discard(2);
        Ok(())
    }

    /// Stores a value in a dictionary.
    pub(super) fn put_in(&mut self, id: DictionaryId, key: Value, value: Value) -> Result<(), Fault> {
        self.refuse_system(id)?;
        let known = self.known_key(key)?;
        let is_there = known.is_some_and(|key| self.heap.dictionary(id).position(key).is_some());
        // Before there is a key that nothing but this function knows. What is replaced takes no memory.
        if !is_there {
            // The key must not need a collection, which would not know of the entry.
            let copy = known.map_or_else(|| self.cost_of_key(key), |_| 0);
            self.reserve(ENTRY + copy)?;
            self.heap.give_back(copy);
        }
        let is_new = self.key(key).map(|key| self.scope.store(&mut self.heap, id, key, value.into()));
        if !is_there && !matches!(is_new, Ok(true)) {
            self.heap.give_back(ENTRY);
        }
        self.forget_changed();
        is_new.map(|_| ())
    }

    fn refuse_system(&self, id: DictionaryId) -> Result<(), Fault> {
        if id == self.scope.system() { Err(ErrorName::InvalidAccess.into()) } else { Ok(()) }
    }

    pub(super) fn undef(&mut self) -> Result<(), Fault> {
        let [from, key] = self.top()?;
        let from = dictionary(from)?;
        let key = self.known_key(key)?;
        self.refuse_system(from)?;
        if let Some(key) = key {
            self.scope.remove(&mut self.heap, from, key);
            self.forget_changed();
        }
        self.discard(2);
        Ok(())
    }

    pub(super) fn known(&mut self) -> Result<(), Fault> {
        let [of, key] = self.top()?;
        let of = dictionary(of)?;
        let key = self.known_key(key)?;
        let is_known = key.is_some_and(|key| self.heap.dictionary(of).get(key).is_some());
        self.replace(2, Value::Boolean(is_known));
        Ok(())
    }

    /// The value under a key of a dictionary.
    pub(super) fn value_of(&self, of: DictionaryId, key: Value) -> Result<Value, Fault> {
        let value = self.known_key(key)?.and_then(|key| self.heap.dictionary(of).get(key));
        value.map(Packed::unpack).ok_or_else(|| ErrorName::Undefined.into())
    }

    pub(super) fn load(&mut self) -> Result<(), Fault> {
        let [key] = self.top()?;
        let found = self.known_key(key)?.and_then(|key| Some((self.scope.holder(&self.heap, key)?, key)));
        let value = found.and_then(|(holder, key): (_, Key)| self.heap.dictionary(holder).get(key));
        self.replace(1, value.ok_or(ErrorName::Undefined)?.unpack());
        Ok(())
    }

    pub(super) fn find_where(&mut self) -> Result<(), Fault> {
        let [key] = self.top()?;
        match self.known_key(key)?.and_then(|key| self.scope.holder(&self.heap, key)) {
            Some(holder) => {
                self.heap.share(holder);
                self.replace_all(1, &[Value::Dictionary(holder), Value::Boolean(true)])
            }
            None => self.replace_all(1, &[Value::Boolean(false)]),
        }
    }
}
