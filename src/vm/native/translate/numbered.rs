//! Dictionaries with whole numbers as keys: places in the table that a dictionary has for numbers that are not great.
//!
//! Deliberately absent: all other keys, and other dictionaries; the machine's own functions find those.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator};
use crate::vm::dictionary::places::NOWHERE;
use crate::vm::native::gate::{
    self, Context, ENTRY, ENTRY_VALUE, RECORD_NEAR, RECORD_NEAR_LENGTH, RECORD_START,
};
use crate::vm::native::state::{Is, Kind, State};

impl Translator<'_, '_> {
    /// Whether a key may be a number in such a table.
    pub(super) fn may_be_near(key: Is) -> bool {
        matches!(key, Is::Number(_)) || matches!(key.kind(), Kind::Whole(_))
    }

    /// The row of a dictionary, and the place that its table has for a number; elsewhere if it has no such table, or
    /// that has no row for the number.
    fn near(&mut self, state: &mut State, holder: Is, key: Is, far: Block) -> Result<(Value, Value)> {
        // What is learned of the key holds on all paths.
        let (row, is_whole) = self.integer(state, key)?;
        let record = self.record(holder, far);
        is_whole.into_iter().for_each(|is_whole| self.go_on_if(is_whole, far));
        let rows = self.builder.ins().load(types::I64, elsewhere(), record, RECORD_NEAR_LENGTH as i32);
        let has_row = self.builder.ins().icmp(IntCC::UnsignedLessThan, row, rows);
        self.go_on_if(has_row, far);
        let table = self.builder.ins().load(types::I64, elsewhere(), record, RECORD_NEAR as i32);
        let offset = self.builder.ins().ishl_imm(row, 2);
        let row = self.builder.ins().iadd(table, offset);
        Ok((record, self.builder.ins().uload32(elsewhere(), row, 0)))
    }

    /// Where the entry of a number is; elsewhere if there is none, or that is not known.
    fn near_entry(
        &mut self,
        state: &mut State,
        (holder, key): (Is, Is),
        none: Block,
        far: Block,
    ) -> Result<Value> {
        let (record, place) = self.near(state, holder, key, far)?;
        let is_there = self.builder.ins().icmp_imm(IntCC::NotEqual, place, i64::from(NOWHERE));
        self.go_on_if(is_there, none);
        let start = self.builder.ins().load(types::I64, elsewhere(), record, RECORD_START as i32);
        let at = self.builder.ins().iadd(start, place);
        let offset = self.builder.ins().ishl_imm(at, i64::from(ENTRY.trailing_zeros()));
        let rows = self.field(offset_of!(Context, rows));
        Ok(self.builder.ins().iadd(rows, offset))
    }

    /// `get`
    pub(super) fn near_element(&mut self, state: &mut State, holder: Is, key: Is) -> Result<Value> {
        let near = |own: &mut Self, far| {
            let entry = own.near_entry(state, (holder, key), far, far)?;
            Ok(own.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32))
        };
        self.near_or(types::I64, near, |own| own.far_element(holder, key))
    }

    /// `put`
    pub(super) fn put_near(&mut self, state: &mut State, holder: Is, key: Is, value: Is) -> Result<Flow> {
        let [none, far, done] = std::array::from_fn(|_| self.builder.create_block());
        let entry = self.near_entry(state, (holder, key), none, far)?;
        let bits = self.packed(value);
        self.builder.ins().store(elsewhere(), bits, entry, ENTRY_VALUE as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(none);
        let operands = [holder, key, value].map(|is| self.packed(is));
        let is_done = self.ask(gate::add_number as *const () as usize, &operands);
        self.leave_unless(is_done);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(far);
        self.far_put(holder, key, value);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
        Ok(Flow::On)
    }

    /// `known`
    pub(super) fn near_known(&mut self, state: &mut State, holder: Is, key: Is) -> Result<Value> {
        let near = |own: &mut Self, far| {
            let (_, place) = own.near(state, holder, key, far)?;
            Ok(own.builder.ins().icmp_imm(IntCC::NotEqual, place, i64::from(NOWHERE)))
        };
        self.near_or(types::I8, near, |own| own.far_known(holder, key))
    }
}
