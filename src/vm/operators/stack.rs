//! The operand stack.

use super::{index, whole};
use crate::vm::fault::Fault;
use crate::vm::machine::Machine;
use crate::vm::trap::ErrorName;
use crate::vm::value::{Packed, Value};

impl Machine<'_> {
    pub(super) fn exch(&mut self) -> Result<(), Fault> {
        match self.stack.values_mut() {
            [.., a, b] => {
                std::mem::swap(a, b);
                Ok(())
            }
            _ => Err(ErrorName::StackUnderflow.into()),
        }
    }

    pub(super) fn clear(&mut self) -> Result<(), Fault> {
        self.discard(self.stack.height());
        Ok(())
    }

    /// How many values are above the topmost mark.
    pub(super) fn above_mark(&self) -> Result<usize, Fault> {
        let mark = self.stack.values().iter().rev().position(|value| *value == Packed::MARK);
        mark.ok_or_else(|| ErrorName::UnmatchedMark.into())
    }

    pub(super) fn clear_to_mark(&mut self) -> Result<(), Fault> {
        self.discard(self.above_mark()? + 1);
        Ok(())
    }

    pub(super) fn count_to_mark(&mut self) -> Result<(), Fault> {
        self.push(Value::Number(self.above_mark()? as f64))
    }

    pub(super) fn index(&mut self) -> Result<(), Fault> {
        let [depth] = self.top()?;
        let depth = index(depth)?;
        let below = self.stack.height() - 1;
        let at = below.checked_sub(depth + 1).ok_or(ErrorName::StackUnderflow)?;
        self.replace(1, self.stack.values()[at].unpack());
        Ok(())
    }

    pub(super) fn roll(&mut self) -> Result<(), Fault> {
        let [count, by] = self.top()?;
        let (count, by) = (whole(count)?, whole(by)?);
        let count = index(Value::Number(count))?;
        let below = self.stack.height() - 2;
        let from = below.checked_sub(count).ok_or(ErrorName::StackUnderflow)?;
        self.discard(2);
        if count > 0 {
            self.stack.values_mut()[from..].rotate_right(by.rem_euclid(count as f64) as usize);
        }
        Ok(())
    }

    /// Doubles the uppermost values; their number is on top.
    pub(super) fn copy_values(&mut self, count: Value) -> Result<(), Fault> {
        let count = index(count)?;
        let below = self.stack.height() - 1;
        let from = below.checked_sub(count).ok_or(ErrorName::StackUnderflow)?;
        if count > 1 && !self.stack.has_room(count - 1) {
            return Err(ErrorName::StackOverflow.into());
        }
        self.discard(1);
        for at in from..below {
            self.stack.push_beyond(self.stack.values()[at].unpack());
        }
        Ok(())
    }
}
