//! Names: what they mean, and definitions.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator, Unable};
use crate::isa::builtin::Builtin;
use crate::vm::dictionary::{Index, Key};
use crate::vm::heap::ENTRY as ENTRY_COST;
use crate::vm::names::NameId;
use crate::vm::native::gate::{
    self, Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, FEW, MEANING, MEANING_STATE, MEANING_VALUE, MOST,
    RECORD_CAPACITY, RECORD_INDEX, RECORD_LENGTH,
};
use crate::vm::native::state::{Begun, Is, State};
use crate::vm::value::{Packed, Value as Plain};

impl Translator<'_, '_> {
    /// Executes a name.
    pub(super) fn name(&mut self, name: NameId, state: &mut State) -> Result<Flow> {
        match self.around.scope.trusted(name) {
            Some(Plain::Operator(operator)) => return self.operator(operator, state),
            Some(Plain::Procedure(procedure)) => return self.call(state, name, procedure),
            _ => {}
        }
        if let Some(is) = self.virtual_entry(state, name).copied() {
            return self.virtual_name(state, name, is);
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

    /// Where a name has its value in a virtual dictionary. Native code is left if it could have one but has not.
    fn virtual_entry<'s>(&mut self, state: &'s mut State, name: NameId) -> Option<&'s mut Is> {
        for of in state.virtuals_mut().rev() {
            let Some(at) = of.keys().position(|key| key == name) else { continue };
            if let Some(length) = of.length.filter(|_| at >= of.sure) {
                let is_there = self.builder.ins().icmp_imm(IntCC::UnsignedGreaterThan, length, at as i64);
                self.leave_unless(is_there);
                of.sure = at + 1;
            }
            return Some(&mut of.entries[at].1);
        }
        None
    }

    /// Executes a name that has a value there.
    fn virtual_name(&mut self, state: &mut State, name: NameId, is: Is) -> Result<Flow> {
        if let Is::Packed(value) = is {
            if !self.samples.contains_key(&value) {
                let sample = self.around.scope.find(self.around.heap, name);
                self.sample_name(value, sample);
            }
            if self.sample(is).is_some_and(|sample| matches!(sample, Plain::Number(_))) {
                let number = self.number_in(state, is)?;
                return self.push(state, Is::Number(number));
            }
            self.leave_if_code(value);
        } else if is.may_be_code() {
            return Err(Unable);
        }
        self.push(state, is)
    }

    /// Notes what a name has, if it has something now.
    pub(super) fn sample_name(&mut self, value: Value, sample: Packed) {
        if sample != Packed::NOTHING {
            self.samples.insert(value, sample);
        }
    }

    /// `load` of a known name.
    pub(super) fn load_name(&mut self, state: &mut State) -> Result<Flow> {
        let known = state.operands.last().and_then(|operand| operand.is.known_name());
        let Some(name) = known else { return self.by_help(state, Builtin::Load) };
        let [_] = self.pop(state);
        if let Some(value) = self.around.scope.trusted(name) {
            return self.push(state, Is::Fixed(value.into()));
        }
        if let Some(is) = self.virtual_entry(state, name).copied() {
            return self.push(state, is);
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
    pub(super) fn place(&mut self, place: usize) -> Value {
        let entries = self.field(offset_of!(Context, current));
        self.builder.ins().iadd_imm(entries, (place * ENTRY) as i64)
    }

    /// The entry of the current dictionary at a place, if it is the name's.
    fn entry(&mut self, name: NameId, place: u32, otherwise: Block) -> Value {
        let (is_long, is_it) = (self.builder.create_block(), self.builder.create_block());
        let record = self.field(offset_of!(Context, current_record));
        let length = self.builder.ins().uload32(elsewhere(), record, RECORD_LENGTH as i32);
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
        if self.define_virtually(state, name, is) {
            return Ok(Flow::On);
        }
        self.materialize(state);
        match self.around.scope.fixed(self.around.heap, name) {
            Some(place) => self.define_fixed(state, name, place, is),
            None => self.define_local(state, name, is),
        }
        state.know(name, is);
        Ok(Flow::On)
    }

    /// `def` in a virtual dictionary, if it may have the name.
    fn define_virtually(&mut self, state: &mut State, name: NameId, is: Is) -> bool {
        let may_be = self.is_local(name);
        let Some(Begun::Virtual(of)) = state.begun.last_mut().filter(|_| may_be) else { return false };
        let at = of.keys().position(|key| key == name).unwrap_or(of.entries.len());
        // Keys that it may not have come one after the other.
        if at > of.sure || at == MOST {
            return false;
        }
        if at == of.entries.len() {
            of.entries.push((name, is));
        }
        of.entries[at].1 = is;
        of.sure = of.sure.max(at + 1);
        if of.sure == of.entries.len() {
            of.length = None;
        } else if let Some(length) = of.length {
            let sure = self.builder.ins().iconst(types::I64, of.sure as i64);
            of.length = Some(self.builder.ins().umax(length, sure));
        }
        true
    }

    /// Whether a name's meaning depends on the dictionary stack, and no code relies on it.
    pub(super) fn is_local(&self, name: NameId) -> bool {
        self.around.scope.local(name).is_some() && !self.around.scope.is_trusted(name)
    }

    /// `store`
    pub(super) fn store(&mut self, state: &mut State) -> Result<Flow> {
        let depth = state.operands.len();
        let name = depth.checked_sub(2).and_then(|at| state.operands[at].is.known_name());
        let Some(name) = name else { return self.by_help(state, Builtin::Store) };
        let [_, is] = self.pop(state);
        if let Some(value) = self.virtual_entry(state, name) {
            *value = is;
            return Ok(Flow::On);
        }
        match self.around.scope.fixed(self.around.heap, name) {
            Some(place) => self.store_fixed(name, place, is),
            None => {
                let value = self.packed(is);
                let operand = self.builder.ins().iconst(types::I32, i64::from(name.to_operand()));
                let is_done = self.ask(gate::store as *const () as usize, &[operand, value]);
                self.leave_unless(is_done);
            }
        }
        state.know(name, is);
        Ok(Flow::On)
    }

    /// `def` of a name that is not known.
    pub(super) fn define_any(&mut self, state: &mut State) -> Result<Flow> {
        let operands: [Is; 2] = self.pop(state);
        self.materialize(state);
        let operands = operands.map(|is| self.packed(is));
        let is_done = self.ask(gate::define_key as *const () as usize, &operands);
        self.leave_unless(is_done);
        state.names.clear();
        state.forget_keys();
        Ok(Flow::On)
    }

    /// `currentdict`
    pub(super) fn current(&mut self, state: &mut State) -> Result<Flow> {
        self.materialize(state);
        let current = self.ask(gate::current as *const () as usize, &[]);
        state.forget_keys();
        self.push(state, Is::Packed(current))
    }

    fn define_fixed(&mut self, state: &mut State, name: NameId, place: u32, is: Is) {
        if !state.is_in_program {
            let [current, program] =
                [offset_of!(Context, current_record), offset_of!(Context, program_record)]
                    .map(|offset| self.field(offset));
            let is_in_program = self.builder.ins().icmp(IntCC::Equal, current, program);
            self.leave_unless(is_in_program);
            state.is_in_program = true;
        }
        self.store_fixed(name, place, is);
    }

    /// Gives a name the value that it has in the program's dictionary.
    fn store_fixed(&mut self, name: NameId, place: u32, is: Is) {
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
        if let Some(Begun::Known(keys)) =
            state.begun.last_mut().filter(|_| !matches!(known, Some((_, Some(_)))))
        {
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
        let machine = self.field(offset_of!(Context, machine));
        let scope_state = self.builder.ins().load(types::I64, elsewhere(), machine, gate::SCOPE_STATE as i32);
        self.builder.ins().store(elsewhere(), scope_state, meaning, MEANING_STATE as i32);
        meaning
    }

    /// Goes elsewhere unless the current dictionary has so many entries, few, and none of them is the name's.
    fn check_absence(&mut self, name: NameId, length: usize, otherwise: Block) {
        let record = self.field(offset_of!(Context, current_record));
        let has = self.builder.ins().uload32(elsewhere(), record, RECORD_LENGTH as i32);
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
        let record = self.field(offset_of!(Context, current_record));
        let index = self.builder.ins().uload8(types::I32, elsewhere(), record, RECORD_INDEX as i32);
        let is_plain = self.builder.ins().icmp_imm(IntCC::Equal, index, Index::Walk as i64);
        self.go_on_if(is_plain, otherwise);
        let room = self.builder.ins().uload32(elsewhere(), record, RECORD_CAPACITY as i32);
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
}
