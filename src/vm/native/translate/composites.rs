//! Arrays, strings and dictionaries: elements where they most likely are, and the machine's own functions.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Type, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator};
use crate::isa::builtin::Builtin;
use crate::vm::dictionary::Key;
use crate::vm::heap::{DictionaryId, StringId};
use crate::vm::native::gate::{self, Context, RECORD, SEQUENCE, SEQUENCE_LENGTH, SEQUENCE_START};
use crate::vm::native::range::Range;
use crate::vm::native::state::{Is, State};
use crate::vm::value::{Packed, Value as Plain};

/// What holds elements in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Array,
    String,
}

impl Translator<'_, '_> {
    /// Notes what is in a slot of the operand stack, if that is known.
    pub(super) fn sample_slot(&mut self, state: &State, value: Value) {
        let operands = self.around.operands;
        let at =
            (state.reach == 0).then(|| operands.len().checked_add_signed(state.below as isize)).flatten();
        if let Some(sample) = at.and_then(|at| operands.get(at)) {
            self.samples.insert(value, *sample);
        }
    }

    /// What a value was, or is.
    pub(super) fn sample(&self, is: Is) -> Option<Plain> {
        match is {
            Is::Packed(value) | Is::Number(value) => self.samples.get(&value).map(|sample| sample.unpack()),
            Is::Fixed(value) => Some(value.unpack()),
            _ => None,
        }
    }

    /// The row of a table that says where the elements of a value are, if that is most likely. Native code is left if
    /// it has none.
    fn row(&mut self, holder: Is) -> Option<(Row, Value)> {
        let sample = self.sample(holder)?;
        let bits = self.packed(holder);
        let (row, first) = match sample {
            Plain::Array(_) => (Row::Array, Packed::from(sample).bits() >> 32 << 32),
            Plain::String(_) => (Row::String, Packed::from(sample).bits() >> 32 << 32),
            Plain::Text(name) => {
                if let Is::Packed(bits) = holder {
                    let expected = Packed::text(name).bits().cast_signed();
                    let is_it = self.builder.ins().icmp_imm(IntCC::Equal, bits, expected);
                    self.leave_unless(is_it);
                }
                let StringId(id) = self.around.texts.string(name);
                let table = self.field(offset_of!(Context, strings));
                let place = self.builder.ins().iadd_imm(table, (id as usize * SEQUENCE) as i64);
                return Some((Row::String, place));
            }
            _ => return None,
        };
        let id = self.builder.ins().iadd_imm(bits, first.cast_signed().wrapping_neg());
        let is_row = self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, id, i64::from(u32::MAX));
        self.leave_unless(is_row);
        let table = self.field(match row {
            Row::Array => offset_of!(Context, arrays),
            Row::String => offset_of!(Context, strings),
        });
        let offset = self.builder.ins().ishl_imm(id, i64::from(SEQUENCE.trailing_zeros()));
        Some((row, self.builder.ins().iadd(table, offset)))
    }

    /// Where an element is. Native code is left if it is not there, or cannot be written to but is to be.
    fn element(
        &mut self,
        state: &mut State,
        row: Row,
        place: Value,
        key: Is,
        writes: Access,
    ) -> Result<Value> {
        let (at, is_whole) = self.integer(state, key)?;
        is_whole.into_iter().for_each(|is_whole| self.leave_unless(is_whole));
        let length = if writes == Access::Write {
            let all = self.builder.ins().load(types::I64, elsewhere(), place, SEQUENCE_LENGTH as i32);
            let is_read_only = self.builder.ins().icmp_imm(IntCC::SignedLessThan, all, 0);
            self.leave_if(is_read_only);
            self.builder.ins().band_imm(all, i64::from(u32::MAX))
        } else {
            self.builder.ins().uload32(elsewhere(), place, SEQUENCE_LENGTH as i32)
        };
        let is_there = self.builder.ins().icmp(IntCC::UnsignedLessThan, at, length);
        self.leave_unless(is_there);
        let start = self.builder.ins().load(types::I64, elsewhere(), place, SEQUENCE_START as i32);
        let at = self.builder.ins().iadd(start, at);
        Ok(match row {
            Row::Array => {
                let base = self.field(offset_of!(Context, elements));
                let offset = self.builder.ins().ishl_imm(at, 3);
                self.builder.ins().iadd(base, offset)
            }
            Row::String => {
                let base = self.field(offset_of!(Context, bytes));
                self.builder.ins().iadd(base, at)
            }
        })
    }

    /// `get`
    pub(super) fn get(&mut self, state: &mut State) -> Result<Flow> {
        let [holder, key] = self.pop(state);
        let sample = self.sampled_element(holder, key);
        if let Some((row, place)) = self.row(holder) {
            let element = self.element(state, row, place, key, Access::Read)?;
            if row == Row::String {
                let byte = self.builder.ins().uload8(types::I64, elsewhere(), element, 0);
                return self.push(state, Is::Whole(byte, Range::BYTE));
            }
            let value = self.builder.ins().load(types::I64, elsewhere(), element, 0);
            return self.push_sampled(state, value, sample);
        }
        let value = if self.may_be_text(key) {
            self.named_element(holder, key)?
        } else if Self::may_be_near(key) {
            self.near_element(state, holder, key)?
        } else {
            self.far_element(holder, key)
        };
        self.push_sampled(state, value, sample)
    }

    /// A value that is near most often. Where it is not, `near` goes to the block that it is given, and `far` finds it.
    pub(super) fn near_or(
        &mut self,
        of: Type,
        near: impl FnOnce(&mut Self, Block) -> Result<Value>,
        far: impl FnOnce(&mut Self) -> Value,
    ) -> Result<Value> {
        let (other, done) = (self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, of);
        let value = near(self, other)?;
        self.builder.ins().jump(done, &[value.into()]);
        self.builder.switch_to_block(other);
        let value = far(self);
        self.builder.ins().jump(done, &[value.into()]);
        self.builder.switch_to_block(done);
        Ok(result)
    }

    /// An element, by the machine's own function.
    pub(super) fn far_element(&mut self, holder: Is, key: Is) -> Value {
        let (holder, key) = (self.packed(holder), self.packed(key));
        self.something(gate::element as *const () as usize, &[holder, key])
    }

    /// The row of a dictionary in the table of all; elsewhere if it is none.
    pub(super) fn record(&mut self, holder: Is, far: Block) -> Value {
        let bits = self.packed(holder);
        let first = Packed::from(Plain::Dictionary(DictionaryId(0))).bits().cast_signed();
        let id = self.builder.ins().iadd_imm(bits, first.wrapping_neg());
        let is_dictionary =
            self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, id, i64::from(u32::MAX));
        self.go_on_if(is_dictionary, far);
        let table = self.field(offset_of!(Context, dictionaries));
        let offset = self.builder.ins().imul_imm(id, RECORD as i64);
        self.builder.ins().iadd(table, offset)
    }

    /// Pushes a value that will most likely be of a sample's type.
    fn push_sampled(&mut self, state: &mut State, value: Value, sample: Option<Packed>) -> Result<Flow> {
        let is = match sample {
            Some(sample) if sample.is_number() => self.sampled_number(value, sample)?,
            Some(sample) => {
                self.samples.insert(value, sample);
                Is::Packed(value)
            }
            None => Is::Packed(value),
        };
        self.push(state, is)
    }

    /// An element that a value had.
    fn sampled_element(&self, holder: Is, key: Is) -> Option<Packed> {
        match self.sample(holder)? {
            Plain::Array(id) => {
                let elements = self.around.heap.array(id);
                let at = key.known_number().map_or(0, |key| key as usize);
                elements.get(at).copied()
            }
            Plain::Dictionary(id) => {
                let Some(Plain::Text(name)) = self.sample(key) else { return None };
                self.around.heap.dictionary(id).get(Key::name(name))
            }
            _ => None,
        }
    }

    /// `put`
    pub(super) fn put(&mut self, state: &mut State) -> Result<Flow> {
        let [holder, key, value] = self.pop(state);
        if let Some((row, place)) = self.row(holder) {
            let element = self.element(state, row, place, key, Access::Write)?;
            if row == Row::Array {
                let value = self.packed(value);
                self.builder.ins().store(elsewhere(), value, element, 0);
            } else {
                let (byte, is_whole) = self.integer(state, value)?;
                is_whole.into_iter().for_each(|is_whole| self.leave_unless(is_whole));
                let is_byte = self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, byte, 255);
                self.leave_unless(is_byte);
                self.builder.ins().istore8(elsewhere(), byte, element, 0);
            }
            return Ok(Flow::On);
        }
        // It may take memory.
        self.materialize(state);
        if !key.kind().is_number() {
            // The key may be a name that has a meaning.
            state.names.clear();
        }
        if self.may_be_text(key) {
            return self.put_named(holder, key, value);
        }
        if Self::may_be_near(key) {
            return self.put_near(state, holder, key, value);
        }
        self.far_put(holder, key, value);
        Ok(Flow::On)
    }

    /// `put`, by the machine's own function.
    pub(super) fn far_put(&mut self, holder: Is, key: Is, value: Is) {
        let [holder, key, value] = [holder, key, value].map(|is| self.packed(is));
        let is_done = self.ask(gate::set_element as *const () as usize, &[holder, key, value]);
        self.leave_unless(is_done);
    }

    /// `length`
    pub(super) fn length(&mut self, state: &mut State) -> Result<Flow> {
        self.deepen(state, 1);
        let holder = state.operands[state.operands.len() - 1].is;
        match self.row(holder) {
            Some((_, place)) => {
                let [_] = self.pop(state);
                let length = self.builder.ins().uload32(elsewhere(), place, SEQUENCE_LENGTH as i32);
                self.push(state, Is::Whole(length, Range::LENGTH))
            }
            None => self.by_help(state, Builtin::Length),
        }
    }

    /// `getinterval`
    pub(super) fn get_interval(&mut self, state: &mut State) -> Result<Flow> {
        let [whole, start, length] = self.pop(state);
        let sample = match self.sample(whole) {
            // A part of it is none that stands in the program.
            Some(Plain::Text(name)) => Some(Plain::String(self.around.texts.string(name))),
            other => other,
        };
        self.materialize(state);
        let operands = [whole, start, length].map(|is| self.packed(is));
        let part = self.something(gate::part as *const () as usize, &operands);
        self.push_sampled(state, part, sample.map(Packed::from))
    }

    /// `putinterval`
    pub(super) fn put_interval(&mut self, state: &mut State) -> Result<Flow> {
        let operands: [Is; 3] = self.pop(state);
        let operands = operands.map(|is| self.packed(is));
        let is_done = self.ask(gate::set_part as *const () as usize, &operands);
        self.leave_unless(is_done);
        Ok(Flow::On)
    }

    /// `cvs`
    pub(super) fn convert_to_string(&mut self, state: &mut State) -> Result<Flow> {
        let [value, into] = self.pop(state);
        let sample = self.sample(into).map(Packed::from);
        self.materialize(state);
        let operands = [value, into].map(|is| self.packed(is));
        let text = self.something(gate::text as *const () as usize, &operands);
        self.push_sampled(state, text, sample)
    }

    /// `search`
    pub(super) fn search(&mut self, state: &mut State) -> Result<Flow> {
        self.deepen(state, 2);
        // It gives two values more than it takes.
        self.facts.touch(state.reach, state.height() + 2);
        self.materialize(state);
        let sp = self.put_operands(state);
        let end = self.ask(gate::search as *const () as usize, &[sp]);
        self.leave_unless(end);
        state.operands.clear();
        (state.sp, state.below, state.assured, state.reach) = (end, 0, -2, self.reaches);
        self.reaches += 1;
        self.mark(state);
        self.check_room(state);
        Ok(Flow::On)
    }

    /// What a helper gives. Native code is left if that is nothing.
    fn something(&mut self, helper: usize, operands: &[Value]) -> Value {
        let value = self.ask(helper, operands);
        let nothing = Packed::NOTHING.bits().cast_signed();
        let is_nothing = self.builder.ins().icmp_imm(IntCC::Equal, value, nothing);
        self.leave_if(is_nothing);
        value
    }

    /// `known`
    pub(super) fn known(&mut self, state: &mut State) -> Result<Flow> {
        let [holder, key] = self.pop(state);
        let answer = if self.may_be_text(key) {
            self.named_known(holder, key)?
        } else if Self::may_be_near(key) {
            self.near_known(state, holder, key)?
        } else {
            self.far_known(holder, key)
        };
        self.push(state, Is::Boolean(answer))
    }

    /// The same, by the machine's own function.
    pub(super) fn far_known(&mut self, holder: Is, key: Is) -> Value {
        let (holder, key) = (self.packed(holder), self.packed(key));
        let answer = self.ask(gate::known as *const () as usize, &[holder, key]);
        let is_unclear = self.builder.ins().icmp_imm(IntCC::Equal, answer, 2);
        self.leave_if(is_unclear);
        self.builder.ins().ireduce(types::I8, answer)
    }
}

/// What is done with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}
