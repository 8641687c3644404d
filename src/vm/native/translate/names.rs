//! Names: what they mean, and definitions.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator, Unable};
use crate::isa::builtin::Builtin;
use crate::vm::code::Op;
use crate::vm::dictionary::Key;
use crate::vm::heap::ENTRY as ENTRY_COST;
use crate::vm::names::NameId;
use crate::vm::native::gate::{
    self, Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, MEANING, MEANING_STATE, MEANING_VALUE,
};
use crate::vm::native::state::{Is, State};
use crate::vm::value::{Packed, Value as Plain};

/// To so many entries, at most, another is added in native code.
const FEW: usize = 8;

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
        self.want(state, name);
        let sample = self.around.scope.find(self.around.heap, name);
        let is_number = sample.is_number() && sample != Packed::NOTHING;
        let value = if self.around.scope.fixed(self.around.heap, name).is_some() {
            let meaning = self.meaning(name);
            self.builder.ins().load(types::I64, elsewhere(), meaning, MEANING_VALUE as i32)
        } else {
            let place = self.around.scope.local(name).ok_or(Unable)?;
            self.local(state, name, place)
        };
        let is = if is_number {
            self.sampled_number(value, sample)?
        } else {
            self.leave_if_code(value);
            self.sample_name(value, sample);
            Is::Packed(value)
        };
        state.names.push((name, is));
        self.push(state, is)
    }

    /// Notes what a name has, if it has something now.
    fn sample_name(&mut self, value: Value, sample: Packed) {
        if sample != Packed::NOTHING {
            self.samples.insert(value, sample);
        }
    }

    /// `load` of a known name.
    pub(super) fn load(&mut self, state: &mut State) -> Result<Flow> {
        let known = state.operands.last().and_then(|operand| operand.is.known_name());
        let Some(name) = known else { return self.by_help(state, Builtin::Load) };
        let [_] = self.pop(state);
        if let Some(value) = self.around.scope.trusted(name) {
            return self.push(state, Is::Fixed(value.into()));
        }
        if let Some((_, is)) = state.names.iter().find(|(known, _)| *known == name) {
            let is = *is;
            return self.push(state, is);
        }
        let sample = self.around.scope.find(self.around.heap, name);
        let value = match self.around.scope.fixed(self.around.heap, name) {
            Some(_) => {
                let meaning = self.meaning(name);
                self.builder.ins().load(types::I64, elsewhere(), meaning, MEANING_VALUE as i32)
            }
            None => {
                let place = self.around.scope.local(name).ok_or(Unable)?;
                self.local(state, name, place)
            }
        };
        self.sample_name(value, sample);
        self.push(state, Is::Packed(value))
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
    fn local(&mut self, state: &State, name: NameId, place: u32) -> Value {
        let known = state.keys().map(|keys| keys.iter().position(|key| *key == name));
        if let Some(Some(place)) = known {
            let entry = self.place(place);
            return self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32);
        }
        let (elsewhere_, done) = (self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, types::I64);
        if known.is_none() {
            let entry = self.entry(name, place, elsewhere_);
            let value = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32);
            self.builder.ins().jump(done, &[value.into()]);
        } else {
            self.builder.ins().jump(elsewhere_, &[]);
        }

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

    /// The entry at a place of the current dictionary.
    fn place(&mut self, place: usize) -> Value {
        let entries = self.field(offset_of!(Context, current));
        self.builder.ins().iadd_imm(entries, (place * ENTRY) as i64)
    }

    /// The entry of the current dictionary at a place, if it is the name's.
    fn entry(&mut self, name: NameId, place: u32, otherwise: Block) -> Value {
        let (is_long, is_it) = (self.builder.create_block(), self.builder.create_block());
        let length = self.field(offset_of!(Context, current_length));
        let has = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThan, length, i64::from(place));
        self.builder.ins().brif(has, is_long, &[], otherwise, &[]);
        self.builder.switch_to_block(is_long);
        let entry = self.place(place as usize);
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
            None => self.define_local(state, name, is),
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

    /// `def` of a name that is not known.
    pub(super) fn define_any(&mut self, state: &mut State) -> Result<Flow> {
        let operands: [Is; 2] = self.pop(state);
        let operands = operands.map(|is| self.packed(is));
        let is_done = self.ask(gate::define_key as *const () as usize, &operands);
        self.leave_unless(is_done);
        state.names.clear();
        state.forget_keys();
        Ok(Flow::On)
    }

    /// `currentdict`
    pub(super) fn current(&mut self, state: &mut State) -> Result<Flow> {
        let current = self.ask(gate::current as *const () as usize, &[]);
        state.forget_keys();
        self.push(state, Is::Packed(current))
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

    fn define_local(&mut self, state: &mut State, name: NameId, is: Is) {
        let value = self.packed(is);
        let (far, done) = (self.builder.create_block(), self.builder.create_block());
        let known = state.keys().map(|keys| (keys.len(), keys.iter().position(|key| *key == name)));
        let guess = self.around.scope.local(name).filter(|_| !self.around.scope.is_trusted(name));
        match (known, guess) {
            (Some((_, Some(place))), Some(_)) => {
                let entry = self.place(place);
                self.replace(entry, name, value);
                self.builder.ins().jump(done, &[]);
            }
            (Some((length, None)), Some(_)) => self.append(name, length, value, far, done),
            (None, Some(place)) => {
                let new = self.builder.create_block();
                let entry = self.entry(name, place, new);
                self.replace(entry, name, value);
                self.builder.ins().jump(done, &[]);
                self.builder.switch_to_block(new);
                self.check_absence(name, place as usize, far);
                self.append(name, place as usize, value, far, done);
            }
            (_, None) => {
                self.builder.ins().jump(far, &[]);
            }
        }
        self.builder.switch_to_block(far);
        let operand = self.builder.ins().iconst(types::I32, i64::from(name.to_operand()));
        let is_done = self.ask(gate::define as *const () as usize, &[operand, value]);
        self.leave_unless(is_done);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
        if let Some(Some(keys)) = state.begun.last_mut().filter(|_| !matches!(known, Some((_, Some(_))))) {
            keys.push(name);
        }
    }

    /// Replaces the value of an entry of the current dictionary, which is the name's.
    fn replace(&mut self, entry: Value, name: NameId, value: Value) {
        self.builder.ins().store(elsewhere(), value, entry, ENTRY_VALUE as i32);
        self.mean(name, value);
    }

    /// Notes what a name means now, in the current dictionary. Gives where that is noted.
    fn mean(&mut self, name: NameId, value: Value) -> Value {
        let meaning = self.meaning(name);
        self.builder.ins().store(elsewhere(), value, meaning, MEANING_VALUE as i32);
        let scope_state = self.field(offset_of!(Context, scope_state));
        self.builder.ins().store(elsewhere(), scope_state, meaning, MEANING_STATE as i32);
        meaning
    }

    /// Goes elsewhere unless the current dictionary has so many entries, few, and none of them is the name's.
    fn check_absence(&mut self, name: NameId, length: usize, otherwise: Block) {
        let has = self.field(offset_of!(Context, current_length));
        let is_last = self.builder.ins().icmp_imm(IntCC::Equal, has, length as i64);
        self.go_on_if(is_last, otherwise);
        let expected = Key::name(name).packed().bits().cast_signed();
        for place in 0..length.min(FEW) {
            let entry = self.place(place);
            let key = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_KEY as i32);
            let is_other = self.builder.ins().icmp_imm(IntCC::NotEqual, key, expected);
            self.go_on_if(is_other, otherwise);
        }
    }

    /// Puts a name, which is none of its keys, last in the current dictionary, which has so many entries; goes elsewhere
    /// if that is not plain.
    fn append(&mut self, name: NameId, length: usize, value: Value, otherwise: Block, done: Block) {
        if length >= FEW {
            self.builder.ins().jump(otherwise, &[]);
            return;
        }
        let room = self.field(offset_of!(Context, current_room));
        let has_room = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThan, room, length as i64);
        self.go_on_if(has_room, otherwise);
        let machine = self.field(offset_of!(Context, machine));
        let used = self.builder.ins().load(types::I64, elsewhere(), machine, gate::USED as i32);
        let due = self.builder.ins().load(types::I64, elsewhere(), machine, gate::DUE as i32);
        let used = self.builder.ins().iadd_imm(used, ENTRY_COST as i64);
        let has_memory = self.builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, used, due);
        self.go_on_if(has_memory, otherwise);
        self.builder.ins().store(elsewhere(), used, machine, gate::USED as i32);
        let entry = self.place(length);
        let key = self.bits(Key::name(name).packed().bits());
        self.builder.ins().store(elsewhere(), key, entry, ENTRY_KEY as i32);
        self.builder.ins().store(elsewhere(), value, entry, ENTRY_VALUE as i32);
        let more = self.bits(length as u64 + 1);
        self.set_field(offset_of!(Context, current_length), more);
        let record = self.field(offset_of!(Context, current_record));
        self.builder.ins().istore32(elsewhere(), more, record, gate::RECORD_LENGTH as i32);
        let meaning = self.mean(name, value);
        let place = self.bits(length as u64);
        self.builder.ins().istore32(elsewhere(), place, meaning, gate::MEANING_PLACE as i32);
        self.builder.ins().jump(done, &[]);
    }

    /// Goes elsewhere unless a condition holds.
    pub(super) fn go_on_if(&mut self, condition: Value, otherwise: Block) {
        let on = self.builder.create_block();
        self.builder.ins().brif(condition, on, &[], otherwise, &[]);
        self.builder.switch_to_block(on);
    }

    /// `begin`, of a dictionary on the operand stack.
    pub(super) fn begin_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let [dictionary] = self.pop(state);
        let Is::Packed(dictionary) = dictionary else { return Err(Unable) };
        let is_done = self.ask(gate::begin as *const () as usize, &[dictionary]);
        self.leave_unless(is_done);
        Self::change_scope(state);
        state.begun.push(None);
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
        if next != Some(Builtin::Begin) {
            return Ok(None);
        }
        let is_done = self.ask(gate::begin_new as *const () as usize, &[]);
        self.leave_unless(is_done);
        self.count(state);
        state.at += 1;
        self.facts.touch(state.reach, state.height() + 1);
        Self::change_scope(state);
        state.begun.push(Some(Vec::new()));
        Ok(Some(Flow::On))
    }

    /// `end`
    pub(super) fn end_dictionary(&mut self, state: &mut State) -> Result<Flow> {
        let is_done = self.ask(gate::end as *const () as usize, &[]);
        self.leave_unless(is_done);
        Self::change_scope(state);
        state.begun.pop();
        Ok(Flow::On)
    }

    fn change_scope(state: &mut State) {
        state.names.clear();
        state.is_in_program = false;
    }
}
