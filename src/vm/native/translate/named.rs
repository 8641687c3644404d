//! Dictionaries with texts as keys: entries where they most likely are, which is where the text stood last in any of them.
//!
//! Deliberately absent: strings that are no texts yet; the machine's own functions look those up.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

use super::emit::elsewhere;
use super::{Flow, Result, Translator};
use crate::vm::dictionary::Key;
use crate::vm::names::NameId;
use crate::vm::native::gate::{
    Context, ENTRY, ENTRY_KEY, ENTRY_VALUE, MEANING, MEANING_STATE, RECORD_BEGUN, RECORD_LENGTH,
};
use crate::vm::native::state::Is;
use crate::vm::scope::{ALWAYS, NEVER};
use crate::vm::value::{Packed, Value as Plain};

impl Translator<'_, '_> {
    /// Whether a key is most likely a text.
    pub(super) fn may_be_text(&self, key: Is) -> bool {
        matches!(self.sample(key), Some(Plain::Text(_)))
    }

    /// The id of a text; elsewhere if the key is none.
    fn text_id(&mut self, key: Is, far: Block) -> Value {
        let first = Packed::text(NameId::from_operand(0)).bits();
        let bits = self.packed(key);
        let id = self.builder.ins().iadd_imm(bits, first.cast_signed().wrapping_neg());
        if key.known_name().is_none() {
            let is_text =
                self.builder.ins().icmp_imm(IntCC::UnsignedLessThanOrEqual, id, i64::from(u32::MAX));
            self.go_on_if(is_text, far);
        }
        id
    }

    /// Where a text most likely stands as a key.
    fn likely_place(&mut self, holder: Is, key: Is, far: Block) -> Value {
        if let Some(name) = key.known_name()
            && let Some(Plain::Dictionary(id)) = self.sample(holder)
            && let Some(place) = self.around.heap.dictionary(id).position(Key::name(name))
        {
            return self.bits(place as u64);
        }
        let id = self.text_id(key, far);
        let places = self.field(offset_of!(Context, places));
        let offset = self.builder.ins().ishl_imm(id, 2);
        let at = self.builder.ins().iadd(places, offset);
        self.builder.ins().uload32(elsewhere(), at, 0)
    }

    /// The row of a dictionary in the table of all, and the entry of a text; elsewhere if that is not where it most likely
    /// is.
    fn named_entry(&mut self, holder: Is, key: Is, far: Block) -> (Value, Value) {
        let record = self.record(holder, far);
        let place = self.likely_place(holder, key, far);
        let length = self.builder.ins().uload32(elsewhere(), record, RECORD_LENGTH as i32);
        let has = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, length, place);
        self.go_on_if(has, far);
        let entries = self.entries_of(record);
        let offset = self.builder.ins().ishl_imm(place, i64::from(ENTRY.trailing_zeros()));
        let entry = self.builder.ins().iadd(entries, offset);
        let found = self.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_KEY as i32);
        let bits = self.packed(key);
        let is_it = self.builder.ins().icmp(IntCC::Equal, found, bits);
        self.go_on_if(is_it, far);
        (record, entry)
    }

    /// `get`
    pub(super) fn named_element(&mut self, holder: Is, key: Is) -> Result<Value> {
        let near = |own: &mut Self, far| {
            let (_, entry) = own.named_entry(holder, key, far);
            Ok(own.builder.ins().load(types::I64, elsewhere(), entry, ENTRY_VALUE as i32))
        };
        self.near_or(types::I64, near, |own| own.far_element(holder, key))
    }

    /// `put`
    pub(super) fn put_named(&mut self, holder: Is, key: Is, value: Is) -> Result<Flow> {
        let [begun, put, far, done] = std::array::from_fn(|_| self.builder.create_block());
        let (record, entry) = self.named_entry(holder, key, far);
        let is_begun = self.builder.ins().uload8(types::I32, elsewhere(), record, RECORD_BEGUN as i32);
        self.builder.ins().brif(is_begun, begun, &[], put, &[]);
        // The name has a meaning, which must be looked up from now on.
        self.builder.switch_to_block(begun);
        let system = Packed::from(Plain::Dictionary(self.around.scope.system())).bits();
        let dictionary = self.packed(holder);
        let is_other = self.builder.ins().icmp_imm(IntCC::NotEqual, dictionary, system.cast_signed());
        self.go_on_if(is_other, far);
        let id = self.text_id(key, far);
        let offset = self.builder.ins().imul_imm(id, MEANING as i64);
        let meanings = self.field(offset_of!(Context, meanings));
        let meaning = self.builder.ins().iadd(meanings, offset);
        let state = self.builder.ins().load(types::I64, elsewhere(), meaning, MEANING_STATE as i32);
        let may_change = self.builder.ins().icmp_imm(IntCC::NotEqual, state, ALWAYS.cast_signed());
        self.go_on_if(may_change, far);
        let never = self.bits(NEVER);
        self.builder.ins().store(elsewhere(), never, meaning, MEANING_STATE as i32);
        self.builder.ins().jump(put, &[]);
        self.builder.switch_to_block(put);
        let bits = self.packed(value);
        self.builder.ins().store(elsewhere(), bits, entry, ENTRY_VALUE as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(far);
        self.far_put(holder, key, value);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
        Ok(Flow::On)
    }

    /// `known`
    pub(super) fn named_known(&mut self, holder: Is, key: Is) -> Result<Value> {
        let near = |own: &mut Self, far| {
            own.named_entry(holder, key, far);
            Ok(own.builder.ins().iconst(types::I8, 1))
        };
        self.near_or(types::I8, near, |own| own.far_known(holder, key))
    }
}
