//! Types, conversion, and search in strings.

use super::number;
use crate::vm::fault::Fault;
use crate::vm::heap::PART_COST;
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Value, Word, truncated};

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
        let id = match into {
            Value::String(id) => id,
            Value::Text(_) => return Err(ErrorName::InvalidAccess.into()),
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        let word = Word::of(value);
        let length = self.text(value).bytes().unwrap_or(word.bytes()).len();
        let bytes = self.heap.string_mut(id).ok_or(ErrorName::InvalidAccess)?;
        bytes.get(..length).ok_or(ErrorName::RangeCheck)?;
        self.reserve(PART_COST)?;
        match value {
            Value::String(_) | Value::Text(_) => self.write_part(into, 0, value),
            _ => self.heap.string_mut(id).unwrap_or_default()[..length].copy_from_slice(word.bytes()),
        }
        let written = self.part(into, 0, length);
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
        self.reserve(3 * PART_COST)?;
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
        self.reserve(2 * PART_COST)?;
        let after = self.part(whole, length, total - length);
        let found = self.part(whole, 0, length);
        self.replace_all(2, &[after, found, Value::Boolean(true)])
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
