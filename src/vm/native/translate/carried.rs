//! Dictionaries in loops: those that are virtual where a loop begins stay so if each turn leaves them that way, with their
//! values as parameters of its header.
//!
//! What a turn needs is learned by the translation before. Deliberately absent: operands, which are carried alike.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, types};

use super::Translator;
use super::emit::elsewhere;
use crate::vm::dictionary::Key;
use crate::vm::names::NameId;
use crate::vm::native::facts::{Changes, Header};
use crate::vm::native::gate::{self, Context, ENTRY_KEY, ENTRY_VALUE, MOST, RECORD_LENGTH, RECORD_PRIVATE};
use crate::vm::native::is_general;
use crate::vm::native::state::{Begun, Is, Kind, State, Virtual};
use crate::vm::value::Value as Plain;

impl Translator<'_, '_> {
    /// Takes over the current dictionary, where a turn of a loop of the machine begins, if it is private and small.
    pub(super) fn adopt_dictionary(&mut self, state: &mut State) {
        let current = self.around.heap.dictionary(self.around.scope.current());
        let keys = current.entries().iter().map(|entry| entry.key.as_name()).collect::<Option<Vec<_>>>();
        let Some(keys) = keys.filter(|keys| current.is_private() && keys.len() <= MOST) else { return };
        if is_general(self.around.rejected, state.at) || keys.iter().any(|name| !self.is_local(*name)) {
            return;
        }
        self.check_keys(state, &keys);
        state.begun.push(Begun::Known(keys));
        self.mark(state);
        if self.facts.header(0).changes == Changes::Entries {
            self.virtualize(state);
        }
    }

    /// Makes the current dictionary a virtual one, if its keys are known.
    fn virtualize(&mut self, state: &mut State) {
        let Some(Begun::Known(keys)) = state.begun.last().cloned() else { return };
        if keys.len() > MOST {
            return;
        }
        let mut entries = Vec::new();
        for (place, name) in keys.iter().enumerate() {
            let known = state.names.iter().find(|(known, _)| known == name);
            let is = known.map(|(_, is)| *is).unwrap_or_else(|| {
                let entry = self.place(place);
                let value = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32);
                let sample = self.around.scope.find(self.around.heap, *name);
                self.sample_name(value, sample);
                Is::Packed(value)
            });
            entries.push((*name, is));
        }
        self.end_real(Some(keys.len()));
        state.names.retain(|(name, _)| !keys.contains(name));
        state.begun.pop();
        state.begun.push(Begun::Virtual(Virtual { entries, sure: keys.len(), length: None }));
        self.leave_with(state);
        let (has_room, has_memory) = self.has_room_for_new(1);
        let has_both = self.builder.ins().band(has_room, has_memory);
        let is_over = self.builder.ins().bxor_imm(has_both, 1);
        self.stop_if(is_over);
    }

    /// Leaves native code if the current dictionary is another one than one that is private and has these keys.
    fn check_keys(&mut self, state: &State, keys: &[NameId]) {
        let other = self.builder.create_block();
        self.builder.set_cold_block(other);
        let record = self.field(offset_of!(Context, current_record));
        let is_private = self.builder.ins().uload8(types::I32, elsewhere(), record, RECORD_PRIVATE as i32);
        self.go_on_if(is_private, other);
        let length = self.builder.ins().uload32(elsewhere(), record, RECORD_LENGTH as i32);
        let is_as_long = self.builder.ins().icmp_imm(IntCC::Equal, length, keys.len() as i64);
        self.go_on_if(is_as_long, other);
        for (place, name) in keys.iter().enumerate() {
            let entry = self.place(place);
            let key = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_KEY as i32);
            let expected = Key::name(*name).packed().bits().cast_signed();
            let is_it = self.builder.ins().icmp_imm(IntCC::Equal, key, expected);
            self.go_on_if(is_it, other);
        }
        let on = self.builder.create_block();
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(other);
        let at = self.builder.ins().iconst(types::I32, i64::from(state.at));
        self.ask(gate::reject as *const () as usize, &[at]);
        let out = self.way_out();
        self.builder.ins().jump(out, &[]);
        self.builder.switch_to_block(on);
    }

    /// Makes dictionaries what they can be in all turns of a loop that begins.
    pub(super) fn prepare_dictionaries(&mut self, state: &mut State, facts: &Header) {
        match facts.changes {
            Changes::Entries => self.virtualize(state),
            Changes::Real => self.materialize(state),
            Changes::Any => {
                self.materialize(state);
                state.begun.clear();
            }
        }
        if let Some(Begun::Virtual(of)) = state.begun.last_mut() {
            let more = facts.more.iter().filter(|name| !of.keys().any(|key| key == **name));
            let more = more.map(|name| (*name, Is::ABSENT)).collect::<Vec<_>>();
            if of.entries.len() + more.len() > MOST {
                return self.materialize(state);
            }
            if !more.is_empty() {
                of.length = Some(self.length_of(of));
                of.entries.extend(more);
            }
        }
    }

    /// Of what types the values in virtual dictionaries are in all turns.
    pub(super) fn kinds_of_entries(&mut self, state: &mut State, facts: &Header) -> Vec<Kind> {
        let values = state.entries().map(|entry| entry.1).collect::<Vec<_>>();
        for is in &values {
            // What is most likely a number is looked at before all turns.
            if matches!(self.sample(*is), Some(Plain::Number(_))) {
                _ = self.number_in(state, *is);
            }
        }
        let kind = |(at, (_, is)): (usize, &(_, Is))| match facts.held.get(at) {
            None if *is == Is::ABSENT => Kind::Packed,
            becomes => self.kind_in_turns(*is, becomes.copied()),
        };
        state.entries().enumerate().map(kind).collect()
    }

    /// How many entries virtual dictionaries have, as arguments for a header.
    pub(super) fn lengths_as_arguments(&mut self, state: &State, arguments: &mut Vec<BlockArg>) {
        for of in state.virtuals() {
            arguments.push(self.length_of(of).into());
        }
    }

    /// The parameters of a header for what virtual dictionaries have.
    pub(super) fn entries_as_parameters(&mut self, state: &mut State, held: &[Kind], block: Block) {
        for ((_, is), kind) in state.entries_mut().zip(held) {
            if let Some(parameter) = kind.parameter() {
                *is = kind.of(self.builder.append_block_param(block, parameter));
            }
        }
        for of in state.virtuals_mut() {
            let length = self.builder.append_block_param(block, types::I64);
            of.length = of.length.map(|_| length);
        }
    }

    /// Whether a turn leaves dictionaries as its header needs them. If not, the next translation knows better.
    pub(super) fn are_dictionaries_kept(&mut self, state: &mut State, at: usize) -> bool {
        let is_virtual = self.headers[at].begun.iter().any(|begun| matches!(begun, Begun::Virtual(_)));
        if !is_virtual {
            self.materialize(state);
        }
        let header = &self.headers[at];
        if header.begun.is_empty() {
            return true;
        }
        let (now, then) = (state.begun.last(), header.begun.last());
        if let (Some(Begun::Virtual(now)), Some(Begun::Virtual(then))) = (now, then)
            && state.begun.len() == header.begun.len()
            && then.is_beginning_of(now)
            && then.entries.len() < now.entries.len()
        {
            let more = now.keys().skip(then.entries.len()).collect::<Vec<_>>();
            let kinds = self.kinds_after(state, at);
            self.facts.hold(at, &kinds);
            self.facts.extend(at, more.into_iter());
            return false;
        }
        if !state.has_same_keys(&State { begun: header.begun.clone(), ..state.clone() }) {
            self.facts.change(at, if is_virtual { Changes::Real } else { Changes::Any });
            return false;
        }
        let kinds = self.kinds_after(state, at);
        self.facts.hold(at, &kinds);
        self.want_learned(state, at);
        let header = &self.headers[at];
        let fits = state.entries().zip(entries(&header.begun)).zip(&header.held).all(
            |(((_, now), then), assumed)| match assumed {
                Kind::Same => self.is_same(*now, *then),
                Kind::Packed => true,
                other => other.or(now.kind()) == *other,
            },
        );
        self.facts.is_new |= !fits;
        fits
    }

    /// Notes what a turn has learned of values that it left in virtual dictionaries.
    fn want_learned(&mut self, state: &State, at: usize) {
        let then = entries(&self.headers[at].begun).copied().collect::<Vec<_>>();
        for ((name, now), then) in state.entries().zip(then) {
            if *now != then && self.is_same(*now, then) {
                self.facts.want(at, *name, now.kind());
            }
        }
    }

    /// What a turn has made of the values in virtual dictionaries.
    fn kinds_after(&self, state: &State, at: usize) -> Vec<Kind> {
        let mut then = entries(&self.headers[at].begun);
        let kind = |(_, now): &(_, Is)| match then.next() {
            Some(then) if self.is_same(*now, *then) => Kind::Same,
            _ => now.kind(),
        };
        state.entries().map(kind).collect()
    }
}

/// The values that virtual dictionaries have.
fn entries(begun: &[Begun]) -> impl Iterator<Item = &Is> {
    let virtuals =
        begun.iter().filter_map(|begun| if let Begun::Virtual(of) = begun { Some(of) } else { None });
    virtuals.flat_map(|of| &of.entries).map(|(_, is)| is)
}
