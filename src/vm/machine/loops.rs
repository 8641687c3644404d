//! Loops in execution: how they begin, take turns and end.

use super::Machine;
use crate::vm::code::{Address, TURN, UNSTOPPED};
use crate::vm::fault::Fault;
use crate::vm::frame::{Frame, Turns, TurnsKind};
use crate::vm::trap::ErrorName;
use crate::vm::value::{Procedure, Value};

impl Machine<'_> {
    /// Repeats a procedure.
    pub(in crate::vm) fn enter_loop(&mut self, body: Procedure, kind: TurnsKind) -> Result<(), Fault> {
        let called = self.called_in_block(body).part();
        self.wait(1)?;
        let body = self.code.body(body, &mut self.scope);
        self.loops.push(Turns { body, called, kind });
        self.at = TURN;
        Ok(())
    }

    /// Repeats the block in place that comes next, and goes on after it.
    pub(in crate::vm) fn enter_loop_in_place(
        &mut self,
        after: Address,
        kind: TurnsKind,
    ) -> Result<(), Fault> {
        let body = std::mem::replace(&mut self.at, after);
        self.wait(1)?;
        self.loops.push(Turns { body, called: self.called.part(), kind });
        self.at = TURN;
        Ok(())
    }

    /// Starts a turn of the innermost loop, or ends the loop.
    pub(in crate::vm) fn turn(&mut self) -> Result<(), Fault> {
        let Some(mut turns) = self.loops.last().copied() else {
            self.resume();
            return Ok(());
        };
        let values = match &mut turns.kind {
            TurnsKind::For { next, increment, limit } => {
                let is_over = if *increment < 0.0 { *next < *limit } else { *next > *limit };
                let value = Value::Number(*next);
                *next += *increment;
                (!is_over).then_some([Some(value), None])
            }
            TurnsKind::Repeat { left } => {
                let is_over = *left == 0;
                *left = left.saturating_sub(1);
                (!is_over).then_some([None, None])
            }
            TurnsKind::Loop => Some([None, None]),
            TurnsKind::ForAll { of, next } => {
                let (element, after) = self.element_for_turn(of.unpack(), *next);
                *next = after;
                element
            }
        };
        let Some(values) = values else {
            self.loops.pop();
            self.resume();
            return Ok(());
        };
        self.count()?;
        if !self.stack.has_room(values.iter().flatten().count()) {
            return Err(ErrorName::StackOverflow.into());
        }
        values.into_iter().flatten().for_each(|value| self.stack.push_beyond(value));
        if let Some(last) = self.loops.last_mut() {
            *last = turns;
        }
        self.frames.push(Frame { at: TURN, called: self.called });
        (self.at, self.called) = (turns.body, turns.called);
        Ok(())
    }

    /// Ends the innermost loop.
    pub(in crate::vm) fn exit(&mut self) -> Result<(), Fault> {
        let of_loop = self.frames.iter().rposition(|frame| matches!(frame.at, TURN | UNSTOPPED));
        match of_loop.filter(|at| self.frames[*at].at == TURN) {
            Some(at) => {
                self.called = self.frames[at].called;
                self.frames.truncate(at);
                self.loops.pop();
                self.resume();
                Ok(())
            }
            None => Err(ErrorName::InvalidExit.into()),
        }
    }
}
