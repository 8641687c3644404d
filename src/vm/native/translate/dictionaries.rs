//! The dictionary stack: `begin`, `end`, and dictionaries that are virtual as long as nobody else could see them.
//!
//! A virtual dictionary is one that the machine does not have: its entries are in registers. It is materialized where the
//! machine, or code outside the region, could look for it. Deliberately absent: what names mean.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator, Unable};
use crate::isa::builtin::Builtin;
use crate::vm::code::Op;
use crate::vm::dictionary::{Key, SMALL};
use crate::vm::heap::{DICTIONARY_COST, ENTRY as ENTRY_COST, dictionary_cost};
use crate::vm::native::gate::{
    self, Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, FEW, MOST, RECORD, RECORD_BEGUN, RECORD_CAPACITY,
    RECORD_LENGTH, RECORD_NEXT, RECORD_PRIVATE, RECORD_START, TOGETHER,
};
use crate::vm::native::state::{Begun, Is, State, Virtual};
use crate::vm::value::Value as Plain;

/// That it was begun, and that it is private.
const PRIVATE: i64 = 0x0101;

impl Translator<'_, '_> {
    /// `begin`, of a dictionary on the operand stack.
    pub(super) fn begin_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let [dictionary] = self.pop(state);
        let Is::Packed(dictionary) = dictionary else { return Err(Unable) };
        self.materialize(state);
        let is_done = self.ask(gate::begin as *const () as usize, &[dictionary]);
        self.leave_unless(is_done);
        Self::change_scope(state);
        state.begun.push(Begun::Any);
        Ok(Flow::On)
    }

    /// `dict`, and `begin` if that comes next: a virtual dictionary.
    pub(super) fn new_dictionary(&mut self, state: &mut State) -> Result<Option<Flow>> {
        let next = match self.around.code.plain(state.at) {
            Op::Name(name) => match self.around.scope.trusted(name) {
                Some(Plain::Operator(operator)) => Some(operator),
                _ => None,
            },
            Op::Operator(operator) => Some(operator),
            _ => None,
        };
        if next != Some(Builtin::Begin) {
            return Ok(None);
        }
        let (has_room, has_memory) = self.has_room_for_new(state.virtuals().count() as i64 + 1);
        self.leave_unless(has_room);
        self.leave_unless(has_memory);
        self.count(state);
        state.at += 1;
        self.facts.touch(state.reach, state.height() + 1);
        state.begun.push(Begun::Virtual(Virtual::default()));
        Ok(Some(Flow::On))
    }

    /// Whether there is room for so many virtual dictionaries, and memory for all entries that each may have.
    pub(super) fn has_room_for_new(&mut self, count: i64) -> (Value, Value) {
        let machine = self.field(offset_of!(Context, machine));
        let height = self.load(machine, gate::SCOPES);
        let height = self.builder.ins().iadd_imm(height, count);
        let limit = self.field(offset_of!(Context, scopes_limit));
        let has_room = self.builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, height, limit);
        let used = self.load(machine, gate::USED);
        let due = self.load(machine, gate::DUE);
        let used = self.builder.ins().iadd_imm(used, count * dictionary_cost(MOST) as i64);
        let has_memory = self.builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, used, due);
        (has_room, has_memory)
    }

    /// `end`
    pub(super) fn end_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let ended = state.begun.pop();
        match ended {
            Some(Begun::Virtual(_)) => return Ok(Flow::On),
            Some(Begun::Known(keys)) => self.end_real(Some(keys.len())),
            _ => self.end_real(None),
        }
        Self::change_scope(state);
        Ok(Flow::On)
    }

    fn change_scope(state: &mut State) {
        state.names.clear();
        state.is_in_program = false;
    }

    fn load(&mut self, at: Value, offset: usize) -> Value {
        self.builder.ins().load(types::I64, elsewhere(), at, offset as i32)
    }

    fn load_half(&mut self, at: Value, offset: usize) -> Value {
        self.builder.ins().uload32(elsewhere(), at, offset as i32)
    }

    fn set(&mut self, value: Value, at: Value, offset: usize) {
        self.builder.ins().store(elsewhere(), value, at, offset as i32);
    }

    fn set_half(&mut self, value: Value, at: Value, offset: usize) {
        self.builder.ins().istore32(elsewhere(), value, at, offset as i32);
    }

    /// Adds to a number in memory.
    fn add_to(&mut self, at: Value, offset: usize, more: i64) {
        let value = self.load(at, offset);
        let value = self.builder.ins().iadd_imm(value, more);
        self.set(value, at, offset);
    }

    /// Where the dictionary stack ends whose height is given.
    fn end_of_scopes(&mut self, height: Value) -> Value {
        let scopes = self.field(offset_of!(Context, scopes));
        let offset = self.builder.ins().ishl_imm(height, 2);
        self.builder.ins().iadd(scopes, offset)
    }

    /// The row of a dictionary in the table of all.
    fn row_of(&mut self, id: Value) -> Value {
        let table = self.field(offset_of!(Context, dictionaries));
        let offset = self.builder.ins().imul_imm(id, RECORD as i64);
        self.builder.ins().iadd(table, offset)
    }

    /// Where the entries of a dictionary begin.
    pub(super) fn entries_of(&mut self, record: Value) -> Value {
        let start = self.load(record, RECORD_START);
        let offset = self.builder.ins().ishl_imm(start, i64::from(ENTRY.trailing_zeros()));
        let rows = self.field(offset_of!(Context, rows));
        self.builder.ins().iadd(rows, offset)
    }

    /// Makes a dictionary the current one. Gives its entries.
    fn set_current(&mut self, record: Value) -> Value {
        let entries = self.entries_of(record);
        self.set_field(offset_of!(Context, current_record), record);
        self.set_field(offset_of!(Context, current), entries);
        entries
    }

    /// Lets the machine have the virtual dictionaries.
    pub(super) fn materialize(&mut self, state: &mut State) {
        if !state.is_virtual() {
            return;
        }
        for at in 0..state.begun.len() {
            let Begun::Virtual(of) = &mut state.begun[at] else { continue };
            let of = std::mem::take(of);
            self.begin_real(&of);
            for (place, (name, is)) in of.entries.iter().enumerate() {
                state.names.retain(|(known, _)| known != name);
                if place < of.sure {
                    state.know(*name, *is);
                }
            }
            state.begun[at] =
                if of.length.is_none() { Begun::Known(of.keys().collect()) } else { Begun::Any };
        }
        self.leave_with(state);
    }

    /// Notes that whatever leaves native code in this instruction from now on does so with these dictionaries.
    pub(super) fn leave_with(&mut self, state: &mut State) {
        state.is_in_program = false;
        if let Some(before) = &mut self.before {
            before.begun.clone_from(&state.begun);
            before.is_in_program = false;
        }
        (self.way_out, self.stop, self.misguess) = (None, None, None);
    }

    /// How many entries a virtual dictionary has.
    pub(super) fn length_of(&mut self, of: &Virtual) -> Value {
        of.length.unwrap_or_else(|| self.bits(of.entries.len() as u64))
    }

    /// Begins a new dictionary, which has these entries.
    fn begin_real(&mut self, of: &Virtual) {
        let count = of.entries.len();
        if count > FEW {
            // They need more than to be put there.
            return self.begin_as_helped(of);
        }
        let (far, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(far);
        let [record, current] = [types::I64; 2].map(|of_type| self.builder.append_block_param(done, of_type));
        let machine = self.field(offset_of!(Context, machine));
        let free = self.load_half(machine, gate::FREE);
        self.go_on_if(free, far);
        let height = self.load(machine, gate::SCOPES);
        let length = self.field(offset_of!(Context, scopes_length));
        let has_room = self.builder.ins().icmp(IntCC::UnsignedLessThan, height, length);
        self.go_on_if(has_room, far);
        let id = self.builder.ins().iadd_imm(free, -1);
        let new = self.row_of(id);
        let capacity = self.load_half(new, RECORD_CAPACITY);
        let has_room = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThanOrEqual, capacity, count as i64);
        self.go_on_if(has_room, far);
        let next = self.load_half(new, RECORD_NEXT);
        self.set_half(next, machine, gate::FREE);
        let private = self.builder.ins().iconst(types::I32, PRIVATE);
        self.builder.ins().istore16(elsewhere(), private, new, RECORD_BEGUN as i32);
        let end = self.end_of_scopes(height);
        self.set_half(id, end, 0);
        let height = self.builder.ins().iadd_imm(height, 1);
        self.set(height, machine, gate::SCOPES);
        self.add_to(machine, gate::SCOPE_STATE, 1);
        let start = self.set_current(new);
        self.builder.ins().jump(done, &[new.into(), start.into()]);

        self.builder.switch_to_block(far);
        let room = self.builder.ins().iconst(types::I32, count as i64);
        self.ask(gate::begin_new as *const () as usize, &[room]);
        let fields = [offset_of!(Context, current_record), offset_of!(Context, current)];
        let fields = fields.map(|offset| BlockArg::from(self.field(offset)));
        self.builder.ins().jump(done, &fields);

        self.builder.switch_to_block(done);
        let machine = self.field(offset_of!(Context, machine));
        let length = self.length_of(of);
        match of.length {
            None => self.add_to(machine, gate::USED, dictionary_cost(count) as i64),
            Some(_) => {
                let cost = self.builder.ins().imul_imm(length, ENTRY_COST as i64);
                let used = self.load(machine, gate::USED);
                let used = self.builder.ins().iadd(used, cost);
                let used = self.builder.ins().iadd_imm(used, DICTIONARY_COST as i64);
                self.set(used, machine, gate::USED);
            }
        }
        self.set_half(length, record, RECORD_LENGTH);
        // What stands above the length is no entry.
        for (at, (name, is)) in of.entries.iter().enumerate() {
            let (key, value) = (self.bits(Key::name(*name).packed().bits()), self.packed(*is));
            self.set(key, current, at * ENTRY + ENTRY_KEY);
            self.set(value, current, at * ENTRY + ENTRY_VALUE);
        }
    }

    /// The same where that is seldom done, of all virtual dictionaries.
    pub(super) fn begin_by_help(&mut self, state: &State) {
        for some in state.virtuals().collect::<Vec<_>>().chunks(TOGETHER) {
            some.iter().zip((0..).step_by(MOST)).for_each(|(of, from)| self.put_values(of, from));
            some.iter().zip((0..).step_by(MOST)).for_each(|(of, from)| self.begin_with(of, from));
        }
    }

    /// Lets the machine begin a new dictionary, which has these entries.
    fn begin_as_helped(&mut self, of: &Virtual) {
        self.put_values(of, 0);
        self.begin_with(of, 0);
    }

    /// Puts the values of a virtual dictionary where the machine finds them.
    fn put_values(&mut self, of: &Virtual, from: usize) {
        for (at, (_, is)) in (from..).zip(&of.entries) {
            let value = self.packed(*is);
            self.set_field(offset_of!(Context, values) + 8 * at, value);
        }
    }

    fn begin_with(&mut self, of: &Virtual, from: usize) {
        let shape = self.shape_of(of);
        let shape = self.builder.ins().iconst(types::I32, shape as i64);
        let count = self.length_of(of);
        let count = self.builder.ins().ireduce(types::I32, count);
        let from = self.builder.ins().iconst(types::I32, from as i64);
        self.ask(gate::begin_with as *const () as usize, &[shape, count, from]);
    }

    /// The number of a virtual dictionary's keys among all shapes.
    fn shape_of(&mut self, of: &Virtual) -> usize {
        let shapes = &mut self.around.shapes;
        let known = shapes.iter().position(|keys| keys.iter().copied().eq(of.keys()));
        known.unwrap_or_else(|| {
            shapes.push(of.keys().collect());
            shapes.len() - 1
        })
    }

    /// Ends the current dictionary, which is private and has so many entries, if that is known.
    pub(super) fn end_real(&mut self, known: Option<usize>) {
        let [far, free, freed, done] = std::array::from_fn(|_| self.builder.create_block());
        self.builder.set_cold_block(far);
        let machine = self.field(offset_of!(Context, machine));
        let height = self.load(machine, gate::SCOPES);
        if known.is_none() {
            let is_there = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThan, height, 2);
            self.go_on_if(is_there, far);
        }
        let end = self.end_of_scopes(height);
        let below = self.builder.ins().uload32(elsewhere(), end, -8);
        let system = i64::from(self.around.scope.system().0);
        let is_other = self.builder.ins().icmp_imm(IntCC::NotEqual, below, system);
        self.go_on_if(is_other, far);
        let record = self.field(offset_of!(Context, current_record));
        if known.is_none() {
            let is_private =
                self.builder.ins().uload8(types::I32, elsewhere(), record, RECORD_PRIVATE as i32);
            self.builder.ins().brif(is_private, free, &[], freed, &[]);
        } else {
            self.builder.ins().jump(free, &[]);
        }

        self.builder.switch_to_block(free);
        let capacity = self.load_half(record, RECORD_CAPACITY);
        let is_small =
            self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, capacity, i64::from(SMALL));
        self.go_on_if(is_small, far);
        match known {
            Some(count) => self.add_to(machine, gate::USED, -(dictionary_cost(count) as i64)),
            None => {
                let length = self.load_half(record, RECORD_LENGTH);
                let cost = self.builder.ins().imul_imm(length, ENTRY_COST as i64);
                let used = self.load(machine, gate::USED);
                let used = self.builder.ins().isub(used, cost);
                let used = self.builder.ins().iadd_imm(used, -(DICTIONARY_COST as i64));
                self.set(used, machine, gate::USED);
            }
        }
        let nothing = self.bits(0);
        self.set_half(nothing, record, RECORD_LENGTH);
        self.builder.ins().istore16(elsewhere(), nothing, record, RECORD_BEGUN as i32);
        let next = self.load_half(machine, gate::FREE);
        self.set_half(next, record, RECORD_NEXT);
        let id = self.builder.ins().uload32(elsewhere(), end, -4);
        let id = self.builder.ins().iadd_imm(id, 1);
        self.set_half(id, machine, gate::FREE);
        self.builder.ins().jump(freed, &[]);

        self.builder.switch_to_block(freed);
        let height = self.builder.ins().iadd_imm(height, -1);
        self.set(height, machine, gate::SCOPES);
        self.add_to(machine, gate::SCOPE_STATE, 1);
        let record = self.row_of(below);
        self.set_current(record);
        self.builder.ins().jump(done, &[]);

        self.builder.switch_to_block(far);
        let is_done = self.ask(gate::end as *const () as usize, &[]);
        self.leave_unless(is_done);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }
}
