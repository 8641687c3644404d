//! Types, conversion, and search in strings.

use super::number;
use crate::vm::fault::Fault;
use crate::vm::heap::{PART_COST, string_cost};
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Value, truncated};

/// From here on not every whole number is a number: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Machine<'_> {
    pub(super) fn type_of(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let name = self.program.type_name(value);
        self.replace(1, Value::Text(name));
        Ok(())
    }

    /// Makes a number of a number, or of a string that is the text of one.
    pub(super) fn convert(&mut self, result: impl Fn(f64) -> Result<f64, ErrorName>) -> Result<(), Fault> {
        let [value] = self.top()?;
        let number = match self.text(value).bytes() {
            Some(bytes) => parse(bytes)?,
            None => number(value)?,
        };
        self.replace(1, Value::Number(result(number)?));
        Ok(())
    }

    pub(super) fn convert_to_string(&mut self) -> Result<(), Fault> {
        let [value, into] = self.top()?;
        let mut text = Vec::new();
        match into {
            // Writing to a vector cannot fail.
            Value::String(_) => _ = self.text(value).write(&mut text),
            Value::Text(_) => return Err(ErrorName::InvalidAccess.into()),
            _ => return Err(ErrorName::TypeCheck.into()),
        }
        self.reserve(self.part_cost(into, text.len()))?;
        let Value::String(id) = into else { return Err(ErrorName::TypeCheck.into()) };
        let bytes = self.heap.string_mut(id).ok_or(ErrorName::InvalidAccess)?;
        bytes.get_mut(..text.len()).ok_or(ErrorName::RangeCheck)?.copy_from_slice(&text);
        let written = self.part(into, 0, text.len());
        self.replace(2, written);
        Ok(())
    }

    /// Pushes what is after, at and before a place where the string contains another, if it does.
    pub(super) fn search(&mut self) -> Result<(), Fault> {
        let [whole, seek] = self.top()?;
        let (bytes, sought) = (self.bytes(whole)?, self.bytes(seek)?);
        let (total, length) = (bytes.len(), sought.len());
        let Some(at) = memchr::memmem::find(bytes, sought) else {
            return self.replace_all(1, &[Value::Boolean(false)]);
        };
        self.room_for(2)?;
        // All at once: nobody knows of the first part while the second is made.
        self.reserve(string_cost(total) + 3 * PART_COST)?;
        let whole = self.shared(whole, total);
        let after = self.part(whole, at + length, total - at - length);
        let found = self.part(whole, at, length);
        let before = self.part(whole, 0, at);
        self.replace_all(2, &[after, found, before, Value::Boolean(true)])
    }

    pub(super) fn search_anchored(&mut self) -> Result<(), Fault> {
        let [whole, seek] = self.top()?;
        let (bytes, sought) = (self.bytes(whole)?, self.bytes(seek)?);
        let (total, length) = (bytes.len(), sought.len());
        if !bytes.starts_with(sought) {
            return self.replace_all(1, &[Value::Boolean(false)]);
        }
        self.room_for(1)?;
        self.reserve(string_cost(total) + 2 * PART_COST)?;
        let whole = self.shared(whole, total);
        let after = self.part(whole, length, total - length);
        let found = self.part(whole, 0, length);
        self.replace_all(2, &[after, found, Value::Boolean(true)])
    }

    /// A string of so many bytes in a form whose parts share its bytes. The cost of a copy was taken, and is given back
    /// where none is needed.
    fn shared(&mut self, value: Value, length: usize) -> Value {
        match value {
            Value::Text(text) => Value::String(self.heap.new_string(self.texts.bytes(text).to_vec(), true)),
            other => {
                self.heap.give_back(string_cost(length));
                other
            }
        }
    }

    fn bytes(&self, value: Value) -> Result<&[u8], Fault> {
        self.text(value).bytes().ok_or_else(|| ErrorName::TypeCheck.into())
    }

    fn room_for(&self, values: usize) -> Result<(), Fault> {
        if self.stack.has_room(values) { Ok(()) } else { Err(ErrorName::StackOverflow.into()) }
    }
}

/// A number without its fraction.
pub(super) fn whole(number: f64) -> Result<f64, ErrorName> {
    // As among integers, zero has no sign here.
    let whole = truncated(number) + 0.0;
    if whole.abs() < EXACT { Ok(whole) } else { Err(ErrorName::RangeCheck) }
}

/// The number that a string is the text of, with blanks around it or without.
fn parse(bytes: &[u8]) -> Result<f64, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| ErrorName::TypeCheck)?.trim_ascii();
    // Not the names of infinity and the like, which the library would take.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return Err(ErrorName::TypeCheck.into());
    }
    let number = text.parse::<f64>().map_err(|_| ErrorName::TypeCheck)?;
    if number.is_finite() { Ok(number) } else { Err(ErrorName::UndefinedResult.into()) }
}
