//! Code generation: one instruction an item.

use crate::isa::codec::encode;
use crate::isa::instruction::Instruction;
use crate::object::fixup::{FixupKind, Fixups};
use crate::object::fragment::Fragment;
use crate::syntax::ast::{Item, ItemKind};

/// The code of a body.
pub(super) fn fragment(body: &[Item<'_>]) -> Fragment {
    let mut text = Vec::with_capacity(5 * body.len());
    let mut fixups = Fixups::default();
    for item in body {
        let instruction = match item.kind {
            ItemKind::Number(value) => Instruction::Number(value),
            ItemKind::Boolean(value) => Instruction::Boolean(value),
            ItemKind::String(string) => Instruction::String(fixups.intern(FixupKind::Weak, string)),
            ItemKind::Name(name) => Instruction::Call(fixups.intern(FixupKind::Strong, name)),
            ItemKind::Block(items) => Instruction::Block(items),
        };
        encode(instruction, &mut text);
    }
    Fragment { text, fixups }
}
