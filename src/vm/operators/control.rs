//! Control.

use super::{boolean, number, procedure, whole};
use crate::isa::builtin::Builtin;
use crate::vm::code::Address;
use crate::vm::fault::Fault;
use crate::vm::frame::TurnsKind;
use crate::vm::machine::{Machine, Streams};
use crate::vm::trap::ErrorName;
use crate::vm::value::Value;

impl Machine<'_> {
    pub(super) fn exec(&mut self, streams: &mut Streams<'_>) -> Result<(), Fault> {
        loop {
            let [value] = self.top()?;
            match value {
                Value::Procedure(procedure) => {
                    self.enter_block(procedure)?;
                    self.discard(1);
                    return Ok(());
                }
                // A loop and not a call: there can be a whole stack of these.
                Value::Operator(Builtin::Exec) => self.discard(1),
                Value::Operator(operator) => {
                    self.discard(1);
                    return self.operate(operator, streams);
                }
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn choose_one(&mut self) -> Result<(), Fault> {
        let [condition, then] = self.top()?;
        let (condition, then) = (boolean(condition)?, procedure(then)?);
        if condition {
            self.enter_block(then)?;
        }
        self.discard(2);
        Ok(())
    }

    pub(super) fn choose_of_two(&mut self) -> Result<(), Fault> {
        let [condition, then, otherwise] = self.top()?;
        let condition = boolean(condition)?;
        let (then, otherwise) = (procedure(then)?, procedure(otherwise)?);
        self.enter_block(if condition { then } else { otherwise })?;
        self.discard(3);
        Ok(())
    }

    pub(super) fn begin_for(&mut self) -> Result<(), Fault> {
        let [initial, increment, limit, body] = self.top()?;
        let kind = progression(initial, increment, limit)?;
        self.enter_loop(procedure(body)?, kind)?;
        self.discard(4);
        Ok(())
    }

    pub(super) fn begin_repeat(&mut self) -> Result<(), Fault> {
        let [turns, body] = self.top()?;
        let (turns, body) = (whole(turns)?, procedure(body)?);
        self.enter_loop(body, repetition(turns)?)?;
        self.discard(2);
        Ok(())
    }

    /// `if` or `ifelse` with the first block in place, which comes next.
    pub(in crate::vm) fn choose_in_place(&mut self, after: Address) -> Result<(), Fault> {
        let [condition] = self.top()?;
        if !boolean(condition)? {
            self.go_on_at(after);
        }
        self.discard(1);
        Ok(())
    }

    pub(in crate::vm) fn begin_for_in_place(&mut self, after: Address) -> Result<(), Fault> {
        let [initial, increment, limit] = self.top()?;
        self.enter_loop_in_place(after, progression(initial, increment, limit)?)?;
        self.discard(3);
        Ok(())
    }

    pub(in crate::vm) fn begin_repeat_in_place(&mut self, after: Address) -> Result<(), Fault> {
        let [turns] = self.top()?;
        self.enter_loop_in_place(after, repetition(whole(turns)?)?)?;
        self.discard(1);
        Ok(())
    }

    pub(super) fn begin_endless(&mut self) -> Result<(), Fault> {
        let [body] = self.top()?;
        self.enter_loop(procedure(body)?, TurnsKind::Loop)?;
        self.discard(1);
        Ok(())
    }

    pub(super) fn begin_forall(&mut self) -> Result<(), Fault> {
        let [of, body] = self.top()?;
        let of = match of {
            Value::Array(_) | Value::Dictionary(_) | Value::String(_) => of,
            Value::Text(text) => Value::String(self.texts.string(text)),
            Value::Procedure(procedure) => {
                // They are looked up from now on.
                self.code.elements(procedure, &mut self.scope);
                of
            }
            _ => return Err(ErrorName::TypeCheck.into()),
        };
        self.enter_loop(procedure(body)?, TurnsKind::ForAll { of: of.into(), next: 0 })?;
        self.discard(2);
        Ok(())
    }

    pub(super) fn stopped(&mut self) -> Result<(), Fault> {
        self.top::<1>()?;
        self.enter_stopped()
    }

    pub(super) fn bind(&mut self) -> Result<(), Fault> {
        let [value] = self.top()?;
        let bound = self.bound(procedure(value)?)?;
        self.replace(1, Value::Procedure(bound));
        Ok(())
    }
}

/// What `for` does.
fn progression(initial: Value, increment: Value, limit: Value) -> Result<TurnsKind, Fault> {
    Ok(TurnsKind::For { next: number(initial)?, increment: number(increment)?, limit: number(limit)? })
}

/// What `repeat` does.
fn repetition(turns: f64) -> Result<TurnsKind, Fault> {
    if turns < 0.0 {
        return Err(ErrorName::RangeCheck.into());
    }
    Ok(TurnsKind::Repeat { left: turns as u64 })
}
