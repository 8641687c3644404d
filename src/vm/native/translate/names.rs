//! Names: what they mean, and definitions.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator, Unable};
use crate::vm::code::Op;
use crate::vm::dictionary::Key;
use crate::vm::names::NameId;
use crate::vm::native::gate::{
    self, Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, MEANING, MEANING_STATE, MEANING_VALUE,
};
use crate::vm::native::state::{Is, State};
use crate::vm::value::{Packed, Value as Plain};

impl Translator<'_, '_> {
    /// Executes a name.
    pub(super) fn name(&mut self, name: NameId, state: &mut State) -> Result<Flow> {
        match self.around.scope.trusted(name) {
            Some(Plain::Operator(operator)) => return self.operator(operator, state),
            Some(Plain::Procedure(procedure)) => return self.call(state, name, procedure),
            _ => {}
        }
        if let Some((_, is)) = state.names.iter().find(|(known, _)| *known == name) {
            let is = *is;
            return self.push(state, is);
        }
        let sample = self.around.scope.find(self.around.heap, name);
        let is_number = sample.is_number() && sample != Packed::NOTHING;
        let value = if self.around.scope.fixed(self.around.heap, name).is_some() {
            let meaning = self.meaning(name);
            self.builder.ins().load(types::I64, elsewhere(), meaning, MEANING_VALUE as i32)
        } else {
            let place = self.around.scope.local(name).ok_or(Unable)?;
            self.local(name, place)
        };
        let is = if is_number {
            Is::Number(self.number(Is::Packed(value))?)
        } else {
            self.leave_if_code(value);
            self.samples.insert(value, sample);
            Is::Packed(value)
        };
        state.names.push((name, is));
        self.push(state, is)
    }

    /// Leaves native code if a value is executed when it is a name's.
    fn leave_if_code(&mut self, value: Value) {
        let [first, last] = Packed::CODE.map(Packed::bits);
        let distance = self.builder.ins().iadd_imm(value, first.cast_signed().wrapping_neg());
        let is_code = self.builder.ins().icmp_imm(
            IntCC::UnsignedLessThanOrEqual,
            distance,
            (last - first).cast_signed(),
        );
        self.leave_if(is_code);
    }

    /// Where the meaning of a name is.
    fn meaning(&mut self, name: NameId) -> Value {
        let meanings = self.field(offset_of!(Context, meanings));
        self.builder.ins().iadd_imm(meanings, (name.index() * MEANING) as i64)
    }

    /// The value of a name that is most likely at a place in the current dictionary. Native code is left when it has none.
    fn local(&mut self, name: NameId, place: u32) -> Value {
        let (there, elsewhere_, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        let entry = self.entry(name, place, elsewhere_);
        self.builder.ins().jump(there, &[]);
        self.builder.switch_to_block(there);
        let value = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32);
        self.builder.ins().jump(done, &[value.into()]);

        self.builder.switch_to_block(elsewhere_);
        let operand = self.builder.ins().iconst(types::I32, i64::from(name.to_operand()));
        let found = self.ask(gate::find as *const () as usize, &[operand]);
        let nothing = Packed::NOTHING.bits().cast_signed();
        let is_nothing = self.builder.ins().icmp_imm(IntCC::Equal, found, nothing);
        self.leave_if(is_nothing);
        self.builder.ins().jump(done, &[found.into()]);
        self.builder.switch_to_block(done);
        result
    }

    /// The entry of the current dictionary at a place, if it is the name's.
    fn entry(&mut self, name: NameId, place: u32, otherwise: cranelift_codegen::ir::Block) -> Value {
        let (is_long, is_it) = (self.builder.create_block(), self.builder.create_block());
        let length = self.field(offset_of!(Context, current_length));
        let has = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThan, length, i64::from(place));
        self.builder.ins().brif(has, is_long, &[], otherwise, &[]);
        self.builder.switch_to_block(is_long);
        let entries = self.field(offset_of!(Context, current));
        let entry = self.builder.ins().iadd_imm(entries, (place as usize * ENTRY) as i64);
        let key = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_KEY as i32);
        let expected = Key::name(name).packed().bits().cast_signed();
        let is_key = self.builder.ins().icmp_imm(IntCC::Equal, key, expected);
        self.builder.ins().brif(is_key, is_it, &[], otherwise, &[]);
        self.builder.switch_to_block(is_it);
        entry
    }

    /// `def`
    pub(super) fn define(&mut self, state: &mut State) -> Result<Flow> {
        let depth = state.operands.len();
        let name = depth.checked_sub(2).and_then(|at| state.operands[at].is.known_name()).ok_or(Unable)?;
        let [_, is] = self.pop(state);
        match self.around.scope.fixed(self.around.heap, name) {
            Some(place) => self.define_fixed(state, name, place, is),
            None => self.define_local(name, is),
        }
        match state.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = is,
            None => state.names.push((name, is)),
        }
        if Self::is_code(is) {
            state.names.retain(|(known, _)| *known != name);
        }
        Ok(Flow::On)
    }

    /// Whether a value may be a procedure or an operator.
    fn is_code(is: Is) -> bool {
        match is {
            Is::Packed(_) => true,
            Is::Fixed(value) => value.is_code(),
            _ => false,
        }
    }

    fn define_fixed(&mut self, state: &mut State, name: NameId, place: u32, is: Is) {
        if !state.is_in_program {
            let is_in_program = self.field(offset_of!(Context, is_in_program));
            self.leave_unless(is_in_program);
            state.is_in_program = true;
        }
        let value = self.packed(is);
        let meaning = self.meaning(name);
        self.builder.ins().store(elsewhere(), value, meaning, MEANING_VALUE as i32);
        let entries = self.field(offset_of!(Context, program));
        let offset = place as usize * ENTRY + ENTRY_VALUE;
        self.builder.ins().store(elsewhere(), value, entries, offset as i32);
    }

    fn define_local(&mut self, name: NameId, is: Is) {
        let value = self.packed(is);
        let (new, done) = (self.builder.create_block(), self.builder.create_block());
        if let Some(place) = self.around.scope.local(name) {
            let entry = self.entry(name, place, new);
            self.builder.ins().store(elsewhere(), value, entry, ENTRY_VALUE as i32);
            let meaning = self.meaning(name);
            self.builder.ins().store(elsewhere(), value, meaning, MEANING_VALUE as i32);
            let scope_state = self.field(offset_of!(Context, scope_state));
            self.builder.ins().store(elsewhere(), scope_state, meaning, MEANING_STATE as i32);
            self.builder.ins().jump(done, &[]);
        } else {
            self.builder.ins().jump(new, &[]);
        }
        self.builder.switch_to_block(new);
        let operand = self.builder.ins().iconst(types::I32, i64::from(name.to_operand()));
        let is_done = self.ask(gate::define as *const () as usize, &[operand, value]);
        self.leave_unless(is_done);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// `begin`, of a dictionary on the operand stack.
    pub(super) fn begin_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let [dictionary] = self.pop(state);
        let Is::Packed(dictionary) = dictionary else { return Err(Unable) };
        let is_done = self.ask(gate::begin as *const () as usize, &[dictionary]);
        self.leave_unless(is_done);
        Self::change_scope(state);
        Ok(Flow::On)
    }

    /// `dict`, and `begin` if that comes next.
    pub(super) fn new_dictionary(&mut self, state: &mut State) -> Result<Option<Flow>> {
        let next = match self.around.code.plain(state.at) {
            Op::Name(name) => match self.around.scope.trusted(name) {
                Some(Plain::Operator(operator)) => Some(operator),
                _ => None,
            },
            Op::Operator(operator) => Some(operator),
            _ => None,
        };
        if next != Some(crate::isa::builtin::Builtin::Begin) {
            return Ok(None);
        }
        let is_done = self.ask(gate::begin_new as *const () as usize, &[]);
        self.leave_unless(is_done);
        self.count(state);
        state.at += 1;
        self.facts.touch(state.reach, state.height() + 1);
        Self::change_scope(state);
        Ok(Some(Flow::On))
    }

    /// `end`
    pub(super) fn end_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let is_done = self.ask(gate::end as *const () as usize, &[]);
        self.leave_unless(is_done);
        Self::change_scope(state);
        Ok(Flow::On)
    }

    fn change_scope(state: &mut State) {
        state.names.clear();
        state.is_in_program = false;
    }
}
