//! Ways out of native code: to the machine, back to a caller, and to a procedure that is called.

use std::mem::offset_of;

use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::Translator;
use super::emit::elsewhere;
use crate::vm::code::{Address, TURN};
use crate::vm::native::compiler::region_signature;
use crate::vm::native::gate::{Context, FRAME, TURNS, TURNS_BODY, TURNS_CALLED, TURNS_KIND};
use crate::vm::native::state::{Is, Loop, Named, State, Turning};

/// Where native code is left, and in what state.
pub(super) struct Leave {
    block: Block,
    state: State,
    /// The loop that is between two turns.
    between: Option<Loop>,
    how: How,
}

/// How native code is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The machine executes the instruction, and then what has native code goes on.
    Performed,
    /// The same, as something is not what was guessed.
    Misguessed,
    /// There is no room, or there are no steps, for what comes next.
    Stopped,
    /// A helper has said already where the operand stack ends and what comes next.
    Told,
}

impl Translator<'_, '_> {
    /// Where native code is left before the instruction that is translated now.
    pub(super) fn way_out(&mut self) -> Block {
        if let Some(block) = self.way_out {
            return block;
        }
        let block = self.leave_before(How::Performed);
        self.way_out = Some(block);
        block
    }

    fn leave_before(&mut self, how: How) -> Block {
        let state = match &self.before {
            Some(state) => state.clone(),
            None => self.nowhere(),
        };
        self.leave_how(state, None, how)
    }

    /// Guesses that a condition holds. If it does not too often, the region is translated again without guesses.
    pub(super) fn guess(&mut self, condition: Value) {
        let (out, on) = (self.misguessed(), self.builder.create_block());
        self.builder.ins().brif(condition, on, &[], out, &[]);
        self.builder.switch_to_block(on);
    }

    /// Where native code is left before the instruction as something is not what was guessed.
    pub(super) fn misguessed(&mut self) -> Block {
        if let Some(block) = self.misguess {
            return block;
        }
        let block = self.leave_before(How::Misguessed);
        self.misguess = Some(block);
        block
    }

    /// Lets the machine go on by itself, before the instruction, if a condition holds.
    pub(super) fn stop_if(&mut self, condition: Value) {
        let out = match (self.stop, &self.before) {
            (Some(block), _) => block,
            (None, Some(before)) => {
                let state = before.clone();
                self.leave_in(state, None)
            }
            (None, None) => return,
        };
        self.stop = Some(out);
        let on = self.builder.create_block();
        self.builder.ins().brif(condition, out, &[], on, &[]);
        self.builder.switch_to_block(on);
    }

    /// Lets the machine go on in another state when there is no room.
    pub(super) fn stop_in(&mut self, state: State, between: Loop) {
        self.stop = Some(self.leave_in(state, Some(between)));
    }

    /// A block that leaves native code in a state.
    pub(super) fn leave_in(&mut self, state: State, between: Option<Loop>) -> Block {
        self.leave_how(state, between, How::Stopped)
    }

    fn leave_how(&mut self, state: State, between: Option<Loop>, how: How) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        self.leaves.push(Leave { block, state, between, how });
        block
    }

    /// A block that leaves native code as a helper has said.
    pub(super) fn leave_as_told(&mut self, state: State) -> Block {
        self.leave_how(state, None, How::Told)
    }

    /// Leaves native code before the instruction if a condition holds.
    pub(super) fn leave_if(&mut self, condition: Value) {
        let (out, on) = (self.way_out(), self.builder.create_block());
        self.builder.ins().brif(condition, out, &[], on, &[]);
        self.builder.switch_to_block(on);
    }

    /// Leaves native code before the instruction unless a condition holds.
    pub(super) fn leave_unless(&mut self, condition: Value) {
        let (out, on) = (self.way_out(), self.builder.create_block());
        self.builder.ins().brif(condition, on, &[], out, &[]);
        self.builder.switch_to_block(on);
    }

    pub(super) fn leave_all(&mut self) {
        for leave in std::mem::take(&mut self.leaves) {
            self.builder.switch_to_block(leave.block);
            let state = &leave.state;
            if leave.how == How::Misguessed {
                let start = self.bits(self.start.into());
                self.set_field(offset_of!(Context, misguessed), start);
            }
            if matches!(leave.how, How::Performed | How::Misguessed) {
                self.perform(state);
                continue;
            }
            if leave.how != How::Told {
                let sp = self.put_operands(state);
                let at = self.bits(u64::from(if leave.between.is_some() { TURN } else { state.at }));
                self.set_field(offset_of!(Context, sp), sp);
                self.set_field(offset_of!(Context, at), at);
            }
            let fp = self.put_frames(state, leave.between.as_ref());
            let steps = self.steps(state);
            let called = self.called(state.called);
            self.set_field(offset_of!(Context, fp), fp);
            self.set_field(offset_of!(Context, steps), steps);
            self.set_field(offset_of!(Context, called), called);
            self.begin_by_help(state);
            self.builder.ins().return_(&[]);
        }
    }

    /// Lets the machine execute the instruction.
    fn perform(&mut self, state: &State) {
        let sp = self.put_operands(state);
        let fp = self.put_frames(state, None);
        let (steps, called) = (self.steps(state), self.called(state.called));
        // No call before this: what is used after one cannot be in a register where native code is not left, either.
        self.begin_by_help(state);
        let at = self.bits(state.at.into());
        let code = self.bits(self.around.perform as u64);
        let signature = self.builder.import_signature(region_signature());
        let arguments = [self.context, sp, fp, steps, called, at];
        self.builder.ins().return_call_indirect(signature, code, &arguments);
    }

    /// Puts all operands on the stack. Gives its end.
    pub(super) fn put_operands(&mut self, state: &State) -> Value {
        for (operand, height) in state.operands.iter().zip(state.below..) {
            if operand.home != Some(height) {
                self.set_slot(state, height, operand.is);
            }
        }
        self.builder.ins().iadd_imm(state.sp, 8 * i64::from(state.height()))
    }

    /// Puts all frames and loops where the machine has them. Gives the end of the frames.
    pub(super) fn put_frames(&mut self, state: &State, between: Option<&Loop>) -> Value {
        for (at, waiting) in state.waiting.iter().enumerate() {
            self.put_frame(state.fp, (at * FRAME) as i32, waiting.at, waiting.called);
        }
        self.put_loops(state, between);
        self.builder.ins().iadd_imm(state.fp, (state.waiting.len() * FRAME) as i64)
    }

    /// Puts all loops where the machine has them.
    pub(super) fn put_loops(&mut self, state: &State, between: Option<&Loop>) {
        let turning = state.waiting.iter().filter_map(|waiting| waiting.turns.as_ref());
        let loops = turning.chain(between).copied().collect::<Vec<_>>();
        if !loops.is_empty() || state.loops.is_some() {
            let top = match state.loops {
                Some(top) => top,
                None => self.field(offset_of!(Context, loops)),
            };
            for (at, turns) in loops.iter().enumerate() {
                self.put_loop(top, (at * TURNS) as i32, turns);
            }
            let top = self.builder.ins().iadd_imm(top, (loops.len() * TURNS) as i64);
            self.set_field(offset_of!(Context, loops), top);
        }
    }

    fn put_frame(&mut self, fp: Value, offset: i32, at: Address, called: Named) {
        let frame = match called {
            Named::Known(bits) => self.bits(u64::from(bits) << 32 | u64::from(at)),
            entered => {
                let called = self.called(entered);
                let called = self.builder.ins().ishl_imm(called, 32);
                self.builder.ins().bor_imm(called, i64::from(at))
            }
        };
        self.builder.ins().store(elsewhere(), frame, fp, offset);
    }

    fn put_loop(&mut self, top: Value, offset: i32, turns: &Loop) {
        let called = self.called(turns.called);
        self.builder.ins().istore32(elsewhere(), called, top, offset + TURNS_CALLED as i32);
        let body = self.bits(turns.body.into());
        self.builder.ins().istore32(elsewhere(), body, top, offset + TURNS_BODY as i32);
        let (tag, fields) = match turns.turning {
            Turning::For { next, increment, limit } => {
                let [next, increment, limit] = [next, increment, limit].map(|is| self.packed(is));
                (0, vec![next, increment, limit])
            }
            Turning::Repeat { left } => (1, vec![left]),
            Turning::Loop => (2, vec![]),
            Turning::ForAll { of, next, .. } => (3, vec![self.packed(of), next]),
        };
        let tag = self.bits(tag);
        let kind = offset + TURNS_KIND as i32;
        self.builder.ins().istore32(elsewhere(), tag, top, kind);
        for (field, offset) in fields.into_iter().zip((kind + 8..).step_by(8)) {
            self.builder.ins().store(elsewhere(), field, top, offset);
        }
    }

    /// As what something is executed, in a word.
    pub(super) fn called(&mut self, named: Named) -> Value {
        match named {
            Named::Known(bits) => self.bits(bits.into()),
            Named::Entered(value, 0) => value,
            Named::Entered(value, bits) => self.builder.ins().bor_imm(value, i64::from(bits)),
        }
    }

    /// Goes on with the innermost frame of the machine.
    pub(super) fn go_back(&mut self, mut state: State) {
        self.materialize(&mut state);
        let sp = self.put_operands(&state);
        if let Some(top) = state.loops {
            self.set_field(offset_of!(Context, loops), top);
        }
        let frame = self.builder.ins().load(types::I64, elsewhere(), state.fp, -(FRAME as i32));
        let fp = self.builder.ins().iadd_imm(state.fp, -(FRAME as i64));
        let at = self.builder.ins().band_imm(frame, i64::from(u32::MAX));
        let called = self.builder.ins().ushr_imm(frame, 32);
        self.go(&state, sp, fp, called, at);
    }

    /// Goes on at an address, with all in its place.
    pub(super) fn go(&mut self, state: &State, sp: Value, fp: Value, called: Value, at: Value) {
        let steps = self.steps(state);
        let entries = self.field(offset_of!(Context, entries));
        let offset = self.builder.ins().ishl_imm(at, 3);
        let entry = self.builder.ins().iadd(entries, offset);
        let code = self.builder.ins().load(types::I64, elsewhere(), entry, 0);
        let signature = self.builder.import_signature(region_signature());
        let arguments = [self.context, sp, fp, steps, called, at];
        self.builder.ins().return_call_indirect(signature, code, &arguments);
    }

    /// A number that a loop has, as it is in registers.
    pub(super) fn known_or_number(&mut self, is: Is) -> super::Result<Is> {
        match is {
            Is::Fixed(value) if value.is_number() => Ok(is),
            other => self.number(other).map(Is::Number),
        }
    }
}
