//! Procedures and blocks: what is executed next.

use cranelift_codegen::ir::{InstBuilder, types};

use super::{Flow, Result, Translator, Unable, Work};
use crate::vm::code::{Address, FIRST};
use crate::vm::frame::PART;
use crate::vm::names::NameId;
use crate::vm::native::gate;
use crate::vm::native::state::{Is, Named, State, Waiting};
use crate::vm::value::{Procedure, Value as Plain};

/// Procedures up to this size are translated where they are called.
const SMALL: u32 = 120;

impl Translator<'_, '_> {
    /// Where a block begins that was written in the unit that has an address.
    pub(super) fn body_of(&mut self, procedure: Procedure, at: Address) -> Result<Address> {
        let body = self.around.code.body(procedure, self.around.scope);
        let is_here = at >= FIRST && self.around.code.unit(at).0 == self.around.code.unit(body).0;
        if is_here { Ok(body) } else { Err(Unable) }
    }

    /// A known procedure.
    pub(super) fn known_procedure(is: Is) -> Result<Procedure> {
        let Is::Fixed(value) = is else { return Err(Unable) };
        if let Plain::Procedure(procedure) = value.unpack() { Ok(procedure) } else { Err(Unable) }
    }

    /// Lets what is executed now wait, unless nothing of it is left. Tells whether it waits.
    fn suspend(&mut self, state: &mut State) -> Result<bool> {
        if self.around.code.is_end(state.at) {
            return Ok(false);
        }
        let join = self.meeting();
        let (at, called, places) = (state.at, state.called, state.places.len());
        self.wait(state, Waiting { at, called, join, turns: None, places })?;
        Ok(true)
    }

    /// `if`
    pub(super) fn choose_one(&mut self, state: &mut State) -> Result<Flow> {
        let [condition, then] = self.pop(state);
        let body = self.body_of(Self::known_procedure(then)?, state.at - 1)?;
        self.choose(state, condition, body, None)
    }

    /// `ifelse`
    pub(super) fn choose_of_two(&mut self, state: &mut State) -> Result<Flow> {
        let [condition, then, otherwise] = self.pop(state);
        let body = self.body_of(Self::known_procedure(then)?, state.at - 1)?;
        let other = self.body_of(Self::known_procedure(otherwise)?, state.at - 1)?;
        self.choose(state, condition, body, Some(other))
    }

    fn choose(
        &mut self,
        state: &mut State,
        condition: Is,
        body: Address,
        other: Option<Address>,
    ) -> Result<Flow> {
        let condition = self.truth(condition)?;
        let unchosen = state.clone();
        let is_waiting = self.suspend(state)?;
        let (yes, no) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, yes, &[], no, &[]);
        let mut chosen = state.clone();
        if is_waiting {
            chosen.called = chosen.called.part();
        }
        let mut alternative = match other {
            Some(_) => chosen.clone(),
            None => unchosen,
        };
        match other {
            Some(other) => alternative.at = other,
            // The paths meet where the block is left.
            None if is_waiting => {
                let join = chosen.waiting.last().map_or(0, |waiting| waiting.join);
                self.builder.switch_to_block(no);
                self.meet(join, alternative.clone());
            }
            None => {}
        }
        if other.is_some() || !is_waiting {
            self.work.push(Work::Path(no, alternative));
        }
        chosen.at = body;
        self.work.push(Work::Path(yes, chosen));
        Ok(Flow::End)
    }

    /// `if` or `ifelse` with the first block in place.
    pub(super) fn choose_in_place(&mut self, state: &mut State, after: Address) -> Result<Flow> {
        let [condition] = self.pop(state);
        let condition = self.truth(condition)?;
        let (yes, no) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, yes, &[], no, &[]);
        // The paths meet at the end: after the first block, or where the operation before it skips the second.
        let end = match self.around.code.plain(after - 1) {
            crate::vm::code::Op::Skip { to } => to,
            _ => after,
        };
        let join = self.meeting();
        state.places.push((end, join));
        let other = State { at: after, ..state.clone() };
        self.work.push(Work::Path(no, other));
        self.work.push(Work::Path(yes, state.clone()));
        Ok(Flow::End)
    }

    /// `exec`
    pub(super) fn execute(&mut self, state: &mut State) -> Result<Flow> {
        let [procedure] = self.pop(state);
        let known = Self::known_procedure(procedure);
        let Ok(body) = known.and_then(|known| self.body_of(known, state.at - 1)) else {
            return self.execute_any(state, procedure);
        };
        let called = state.called;
        let is_waiting = self.suspend(state)?;
        state.called = if is_waiting { called.part() } else { called };
        state.at = body;
        Ok(Flow::On)
    }

    /// `exec` of a procedure that was written anywhere.
    fn execute_any(&mut self, state: &mut State, procedure: Is) -> Result<Flow> {
        let is_last = self.around.code.is_end(state.at);
        let (procedure, called) = (self.packed(procedure), self.called(state.called));
        let at = self.builder.ins().iconst(types::I64, i64::from(state.at - 1));
        let entered = self.ask(gate::block as *const () as usize, &[procedure, called, at]);
        self.leave_unless(entered);
        self.materialize(state);
        if !is_last {
            let waiting = Waiting { at: state.at, called: state.called, join: 0, turns: None, places: 0 };
            state.waiting.push(waiting);
            self.note_waiting(state);
        }
        let (sp, fp) = (self.put_operands(state), self.put_frames(state, None));
        let body = self.builder.ins().band_imm(entered, i64::from(u32::MAX));
        let part = if is_last { 0 } else { i64::from(PART) };
        let called = self.builder.ins().ushr_imm(entered, 32);
        let called = self.builder.ins().bor_imm(called, part);
        self.go(state, sp, fp, called, body);
        Ok(Flow::End)
    }

    /// Executes the procedure that a name means.
    pub(super) fn call(&mut self, state: &mut State, name: NameId, procedure: Procedure) -> Result<Flow> {
        let body = self.around.code.body(procedure, self.around.scope);
        if self.is_small(state, name, body) {
            self.suspend(state)?;
            (state.at, state.called) = (body, Named::by(name));
            return Ok(Flow::On);
        }
        self.materialize(state);
        let sp = self.put_operands(state);
        let fp = if self.around.code.is_end(state.at) {
            self.put_frames(state, None)
        } else {
            let waiting = Waiting { at: state.at, called: state.called, join: 0, turns: None, places: 0 };
            state.waiting.push(waiting);
            self.note_waiting(state);
            self.put_frames(state, None)
        };
        let (called, at) = (Named::by(name), self.bits(body.into()));
        let called = self.called(called);
        self.go(state, sp, fp, called, at);
        Ok(Flow::End)
    }

    /// Whether a procedure is to be translated where it is called.
    fn is_small(&self, state: &State, name: NameId, body: Address) -> bool {
        let size = self.around.code.size(body);
        let is_running = |named: &Named| *named == Named::by(name) || *named == Named::by(name).part();
        let is_inside = is_running(&state.called)
            || state.waiting.iter().any(|waiting| is_running(&waiting.called))
            || body == self.start;
        !is_inside
            && size <= SMALL.min(self.left / 2)
            && state.waiting.len() + 4 < super::DEEPEST
            && !self.around.code.is_calling(body, name)
    }
}
