//! `forall`: the elements of an array or string, or the entries of a dictionary, one a turn.
//!
//! Where they are is looked up in each turn, as the machine does: a turn may change them. Deliberately absent: the
//! elements of procedures.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator, Unable, Work};
use crate::vm::heap::{ArrayId, DictionaryId, StringId};
use crate::vm::native::gate::{
    Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, RECORD, RECORD_LENGTH, RECORD_START, SEQUENCE, SEQUENCE_LENGTH,
    SEQUENCE_START, TURNS_KIND,
};
use crate::vm::native::range::Range;
use crate::vm::native::state::{Elements, Is, State, Turning};
use crate::vm::value::{Packed, Value as Plain};

impl Translator<'_, '_> {
    /// What a value has that `forall` goes through.
    pub(super) const fn elements_of(value: Plain) -> Option<Elements> {
        match value {
            Plain::Array(_) => Some(Elements::Array),
            Plain::String(_) => Some(Elements::String),
            Plain::Dictionary(_) => Some(Elements::Dictionary),
            _ => None,
        }
    }

    /// `forall` over a known block.
    pub(super) fn begin_forall(&mut self, state: &mut State) -> Result<Flow> {
        let [of, body] = self.pop(state);
        let body = Self::known_procedure(body)?;
        let of = match of {
            Is::Fixed(value) => match value.unpack() {
                Plain::Text(name) => Is::Fixed(Plain::String(self.around.texts.string(name)).into()),
                _ => of,
            },
            _ => of,
        };
        let elements = self.sample(of).and_then(Self::elements_of).ok_or(Unable)?;
        self.check_elements(of, elements);
        let next = self.builder.ins().iconst(types::I64, 0);
        self.begin(state, Turning::ForAll { of, elements, next }, Some(body), state.at)
    }

    /// Leaves native code unless a value has such elements.
    fn check_elements(&mut self, of: Is, elements: Elements) {
        if let Is::Packed(_) = of {
            let id = self.id(of, elements);
            let is_it = self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, id, i64::from(u32::MAX));
            self.leave_unless(is_it);
        }
    }

    /// The id of what has elements, if it is such a thing; else something greater than an id.
    fn id(&mut self, of: Is, elements: Elements) -> Value {
        let first = match elements {
            Elements::Array => Plain::Array(ArrayId(0)),
            Elements::String => Plain::String(StringId(0)),
            Elements::Dictionary => Plain::Dictionary(DictionaryId(0)),
        };
        let bits = self.packed(of);
        self.builder.ins().iadd_imm(bits, Packed::from(first).bits().cast_signed().wrapping_neg())
    }

    /// Whether there is an element at a place, and where it is if there is.
    pub(super) fn next_element(&mut self, of: Is, elements: Elements, next: Value) -> (Value, Value) {
        let id = self.id(of, elements);
        let (table, row, length, start) = match elements {
            Elements::Array => (offset_of!(Context, arrays), SEQUENCE, SEQUENCE_LENGTH, SEQUENCE_START),
            Elements::String => (offset_of!(Context, strings), SEQUENCE, SEQUENCE_LENGTH, SEQUENCE_START),
            Elements::Dictionary => (offset_of!(Context, dictionaries), RECORD, RECORD_LENGTH, RECORD_START),
        };
        let (base, shift) = match elements {
            Elements::Array => (offset_of!(Context, elements), size_of::<Packed>().trailing_zeros()),
            Elements::String => (offset_of!(Context, bytes), 0),
            Elements::Dictionary => (offset_of!(Context, rows), ENTRY.trailing_zeros()),
        };
        let table = self.field(table);
        let offset = self.builder.ins().imul_imm(id, row as i64);
        let row = self.builder.ins().iadd(table, offset);
        let length = self.builder.ins().uload32(elsewhere(), row, length as i32);
        let is_there = self.builder.ins().icmp(IntCC::UnsignedLessThan, next, length);
        let start = self.builder.ins().load(types::I64, elsewhere(), row, start as i32);
        let at = self.builder.ins().iadd(start, next);
        let offset = self.builder.ins().ishl_imm(at, i64::from(shift));
        let base = self.field(base);
        (is_there, self.builder.ins().iadd(base, offset))
    }

    /// Pushes what is at a place.
    pub(super) fn push_element(
        &mut self,
        state: &mut State,
        elements: Elements,
        at: Value,
        of: Is,
    ) -> Result<Flow> {
        match elements {
            Elements::Array => {
                let value = self.builder.ins().load(types::I64, elsewhere(), at, 0);
                if let Some(Plain::Array(id)) = self.sample(of)
                    && let Some(first) = self.around.heap.array(id).first()
                {
                    self.samples.insert(value, *first);
                }
                self.push(state, Is::Packed(value))
            }
            Elements::String => {
                let byte = self.builder.ins().uload8(types::I64, elsewhere(), at, 0);
                self.push(state, Is::Whole(byte, Range::BYTE))
            }
            Elements::Dictionary => {
                let key = self.builder.ins().load(types::I64, elsewhere(), at, ENTRY_KEY as i32);
                let value = self.builder.ins().load(types::I64, elsewhere(), at, ENTRY_VALUE as i32);
                self.push(state, Is::Packed(key))?;
                self.push(state, Is::Packed(value))
            }
        }
    }

    /// What decides about the turns of a `forall` of the machine, before the turn that it has begun.
    pub(super) fn adopted_forall(&mut self, state: &mut State, sample: Plain, top: Value) -> Turning {
        let elements = Self::elements_of(sample).unwrap_or(Elements::Array);
        let of = self.builder.ins().load(types::I64, elsewhere(), top, (TURNS_KIND + 8) as i32);
        self.samples.insert(of, sample.into());
        let of = Is::Packed(of);
        // Another loop with the same body may go through something else: then this is a body as any other.
        let id = self.id(of, elements);
        let is_it = self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, id, i64::from(u32::MAX));
        let other = self.builder.create_block();
        self.go_on_if(is_it, other);
        self.work.push(Work::Path(other, state.clone()));
        let next = self.builder.ins().uload32(elsewhere(), top, (TURNS_KIND + 16) as i32);
        let next = self.builder.ins().iadd_imm(next, -1);
        let (is_there, at) = self.next_element(of, elements, next);
        self.leave_unless(is_there);
        // It is pushed once more.
        let mut again = state.clone();
        let count = if elements == Elements::Dictionary { 2 } else { 1 };
        self.deepen(state, count);
        let pushed = state.operands.split_off(state.operands.len() - count);
        if self.push_element(&mut again, elements, at, of).is_ok() {
            for (pushed, now) in pushed.iter().rev().zip(again.operands.iter().rev()) {
                let [pushed, now] = [pushed.is, now.is].map(|is| self.packed(is));
                let is_same = self.builder.ins().icmp(IntCC::Equal, pushed, now);
                self.leave_unless(is_same);
            }
        }
        Turning::ForAll { of, elements, next }
    }

    /// Puts the loops in memory while the machine does something. Gives where they ended before.
    pub(super) fn lend_loops(&mut self, state: &State) -> Option<Value> {
        let before = match state.loops {
            Some(top) => top,
            None => self.field(offset_of!(Context, loops)),
        };
        self.put_loops(state, None);
        Some(before)
    }
}
