//! Arrays, strings, and what dictionaries have in common with them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{array, index, new_length};
use crate::vm::dictionary::Entry;
use crate::vm::fault::Fault;
use crate::vm::heap::{ENTRY, PART_COST, array_cost, string_cost};
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Procedure, Value};

impl Machine<'_> {
    pub(super) fn array(&mut self) -> Result<(), Fault> {
        let [length] = self.top()?;
        let length = new_length(length)?;
        self.reserve(array_cost(length))?;
        let new = self.heap.new_array_of_nulls(length)?;
        self.replace(1, Value::Array(new));
        Ok(())
    }

    pub(super) fn string(&mut self) -> Result<(), Fault> {
        let [length] = self.top()?;
        let length = new_length(length)?;
        self.reserve(string_cost(length))?;
        let new = self.heap.new_string_of_zeros(length)?;
        self.replace(1, Value::String(new));
        Ok(())
    }

    /// Makes an array of the values above the topmost mark.
    pub(super) fn array_to_mark(&mut self) -> Result<(), Fault> {
        let length = self.above_mark()?;
        self.reserve(array_cost(length))?;
        let new = self.heap.new_array(&self.stack.values()[self.stack.height() - length..])?;
        self.replace(length + 1, Value::Array(new));
        Ok(())
    }

    pub(super) fn load_array(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let mut elements = match value {
            Value::Array(id) => self.heap.array(id).iter().map(|value| value.unpack()).collect(),
            Value::Procedure(procedure) => self.elements(procedure).to_vec(),
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        elements.push(value);
        self.replace_all(1, &elements)
    }

    pub(super) fn store_array(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let id = array(value)?;
        let length = self.heap.array(id).len();
        let below = self.stack.height() - 1;
        let from = below.checked_sub(length).ok_or(ErrorName::StackUnderflow)?;
        self.heap.array_mut(id).copy_from_slice(&self.stack.values()[from..below]);
        self.replace(length + 1, value);
        Ok(())
    }

    fn elements(&mut self, procedure: Procedure) -> Rc<[Value]> {
        self.code.elements(procedure, &mut self.scope)
    }

    pub(super) fn length(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let length = match value {
            Value::Array(id) => self.heap.array(id).len(),
            Value::String(id) => self.heap.string(id).len(),
            Value::Text(text) => self.heap.string(self.texts.string(text)).len(),
            Value::Dictionary(id) => self.heap.dictionary(id).entries().len(),
            Value::Procedure(procedure) => self.elements(procedure).len(),
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        self.replace(1, Value::Number(length as f64));
        Ok(())
    }

    pub(super) fn get(&mut self) -> Result<(), Fault> {
        let [holder, key] = self.top()?;
        let value = match holder {
            Value::Dictionary(id) => self.value_of(id, key)?,
            Value::Array(id) => {
                let element = self.heap.array(id).get(index(key)?).copied();
                element.ok_or(ErrorName::RangeCheck)?.unpack()
            }
            Value::Procedure(procedure) => {
                let element = self.elements(procedure).get(index(key)?).copied();
                element.ok_or(ErrorName::RangeCheck)?
            }
            _ => {
                let bytes = self.text(holder).bytes().ok_or(ErrorName::TypeCheck)?;
                let byte = bytes.get(index(key)?).copied();
                Value::Number(byte.ok_or(ErrorName::RangeCheck)?.into())
            }
        };
        self.replace(2, value);
        Ok(())
    }

    pub(super) fn put(&mut self) -> Result<(), Fault> {
        let [holder, key, value] = self.top()?;
        match holder {
            Value::Dictionary(id) => self.put_in(id, key, value)?,
            Value::Array(id) => {
                let element = self.heap.array_mut(id).get_mut(index(key)?);
                *element.ok_or(ErrorName::RangeCheck)? = value.into();
            }
            Value::String(id) => {
                let (at, byte) = (index(key)?, index(value)?);
                let bytes = self.heap.string_mut(id).ok_or(ErrorName::InvalidAccess)?;
                let place = bytes.get_mut(at).ok_or(ErrorName::RangeCheck)?;
                *place = u8::try_from(byte).map_err(|_| ErrorName::RangeCheck)?;
            }
            Value::Text(_) | Value::Procedure(_) => return Err(ErrorName::InvalidAccess.into()),
            _ => return Err(ErrorName::TypeCheck.into()),
        }
        self.discard(3);
        Ok(())
    }

    pub(super) fn get_interval(&mut self) -> Result<(), Fault> {
        let [whole, start, length] = self.top()?;
        let total = match whole {
            Value::Array(id) => self.heap.array(id).len(),
            Value::String(id) => self.heap.string(id).len(),
            Value::Text(text) => self.heap.string(self.texts.string(text)).len(),
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        let (start, length) = (index(start)?, index(length)?);
        if start + length > total {
            return Err(ErrorName::RangeCheck.into());
        }
        self.reserve(PART_COST)?;
        let part = self.part(whole, start, length);
        self.replace(3, part);
        Ok(())
    }

    /// A part of an array or string, which lies within it, and whose cost was taken. It shares the elements.
    pub(in crate::vm) fn part(&mut self, whole: Value, start: usize, length: usize) -> Value {
        match whole {
            Value::Array(id) => Value::Array(self.heap.part_of_array(id, start, length)),
            Value::String(id) => Value::String(self.heap.part_of_string(id, start, length)),
            Value::Text(text) => {
                Value::String(self.heap.part_of_string(self.texts.string(text), start, length))
            }
            other => other,
        }
    }

    pub(super) fn put_interval(&mut self) -> Result<(), Fault> {
        let [whole, start, part] = self.top()?;
        let (start, _) = self.fit(whole, start, part)?;
        self.write_part(whole, start, part);
        self.discard(3);
        Ok(())
    }

    /// Where an array or string would be copied into another, and its length, if it can.
    fn fit(&mut self, whole: Value, start: Value, part: Value) -> Result<(usize, usize), Fault> {
        let (total, length) = match (whole, part) {
            (Value::Array(whole), Value::Array(part)) => {
                (self.heap.array(whole).len(), self.heap.array(part).len())
            }
            (Value::Array(whole), Value::Procedure(part)) => {
                (self.heap.array(whole).len(), self.elements(part).len())
            }
            (Value::String(whole), Value::String(_) | Value::Text(_)) => {
                let length = self.text(part).bytes().map_or(0, <[u8]>::len);
                (self.heap.string(whole).len(), length)
            }
            (Value::Text(_), Value::Text(_) | Value::String(_))
            | (Value::Procedure(_), Value::Array(_) | Value::Procedure(_)) => {
                return Err(ErrorName::InvalidAccess.into());
            }
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        let start = index(start)?;
        if start + length > total {
            return Err(ErrorName::RangeCheck.into());
        }
        if let Value::String(id) = whole {
            self.heap.string_mut(id).ok_or(ErrorName::InvalidAccess)?;
        }
        Ok((start, length))
    }

    /// Copies an array or string into another, where it fits.
    pub(in crate::vm) fn write_part(&mut self, whole: Value, start: usize, part: Value) {
        match (whole, part) {
            (Value::Array(to), Value::Array(from)) => self.heap.copy_array(from, to, start),
            (Value::Array(to), Value::Procedure(from)) => {
                let elements = self.elements(from);
                let slots = self.heap.array_mut(to).iter_mut().skip(start);
                slots.zip(elements.iter().copied()).for_each(|(slot, element)| *slot = element.into());
            }
            (Value::String(to), Value::String(from)) => self.heap.copy_string(from, to, start),
            (Value::String(to), Value::Text(from)) => {
                self.heap.copy_string(self.texts.string(from), to, start);
            }
            _ => {}
        }
    }

    /// Doubles values, or copies the contents of one object into another.
    pub(super) fn copy(&mut self) -> Result<(), Fault> {
        let [top] = self.top()?;
        if let Value::Number(_) = top {
            return self.copy_values(top);
        }
        let [from, to] = self.top()?;
        let copied = match (from, to) {
            (Value::Dictionary(from), Value::Dictionary(to)) => {
                let entries = self.heap.dictionary(from).entries().to_vec();
                // At once, so that it cannot fail when a part is copied.
                self.reserve(entries.len() * ENTRY)?;
                self.heap.give_back(entries.len() * ENTRY);
                for Entry { key, value } in entries {
                    self.put_in(to, key.into(), value.unpack())?;
                }
                Value::Dictionary(to)
            }
            _ => {
                let (start, length) = self.fit(to, Value::Number(0.0), from)?;
                self.reserve(PART_COST)?;
                self.write_part(to, start, from);
                self.part(to, start, length)
            }
        };
        self.replace(2, copied);
        Ok(())
    }

    /// The procedure in which the names of operators are replaced by the operators.
    pub(super) fn bound(&mut self, procedure: Procedure) -> Result<Procedure, Fault> {
        let names = self.code.names(procedure);
        let operator = |name| match self.scope.find(&self.heap, name).unpack() {
            Value::Operator(operator) => Some((name, operator)),
            _ => None,
        };
        let operators = names.into_iter().filter_map(operator).collect::<BTreeMap<_, _>>();
        let (bound, made) = self.code.bound(procedure, Rc::new(operators), &mut self.scope);
        self.reserve(made * CODE)?;
        Ok(bound)
    }

    /// The value or values that the next turn of a `forall` pushes, and what comes after; nothing at the end.
    pub(in crate::vm) fn element_for_turn(&self, of: Value, next: u32) -> (Option<[Option<Value>; 2]>, u32) {
        let one = |value| [Some(value), None];
        let at = next as usize;
        let values = match of {
            Value::Array(id) => self.heap.array(id).get(at).map(|value| one(value.unpack())),
            Value::Dictionary(id) => {
                let entry = self.heap.dictionary(id).entries().get(at);
                entry.map(|entry| [Some(entry.key.into()), Some(entry.value.unpack())])
            }
            Value::Procedure(procedure) => self.code.element(procedure, at).map(one),
            _ => {
                let byte = self.text(of).bytes().and_then(|bytes| bytes.get(at));
                byte.map(|byte| one(Value::Number((*byte).into())))
            }
        };
        (values, next.saturating_add(1))
    }
}

/// What an operation that was made at run time takes, in bytes.
const CODE: usize = 32;
