//! Code generation: one instruction an item, or what the optimiser makes of the items.

use super::Optimization;
use super::binding::Binding;
use super::optimize::optimize;
use crate::isa::codec::encode;
use crate::isa::instruction::Instruction;
use crate::object::fixup::{FixupKind, Fixups};
use crate::object::fragment::Fragment;
use crate::syntax::ast::{Item, ItemKind};

/// A body, and how it is compiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'s> {
    pub(super) items: &'s [Item<'s>],
    pub(super) optimization: Optimization,
    pub(super) binding: Binding,
}

impl Body<'_> {
    /// The code.
    pub(super) fn fragment(self) -> Fragment {
        match self.optimization {
            Optimization::Without => encoded(self.items.iter().map(|item| Code::plain(item.kind))),
            Optimization::With => {
                encoded(optimize(self.items, self.binding).into_iter().map(|(code, _)| code))
            }
        }
    }

    /// For each instruction of the code, the index of the item where its place in the source is.
    pub(super) fn places(self) -> Vec<usize> {
        match self.optimization {
            Optimization::Without => (0..self.items.len()).collect(),
            Optimization::With => {
                optimize(self.items, self.binding).into_iter().map(|(_, item)| item).collect()
            }
        }
    }
}

/// An instruction, with its name or string.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Code<'s> {
    /// Executes a name.
    Call(&'s str),
    /// Pushes a string.
    String(&'s str),
    /// Any other instruction.
    Other(Instruction),
}

impl<'s> Code<'s> {
    /// The instruction for an item.
    pub(super) fn plain(item: ItemKind<'s>) -> Self {
        match item {
            ItemKind::Number(value) => Self::Other(Instruction::Number(value)),
            ItemKind::Boolean(value) => Self::Other(Instruction::Boolean(value)),
            ItemKind::String(string) => Self::String(string),
            ItemKind::Name(name) => Self::Call(name),
            ItemKind::Block(items) => Self::Other(Instruction::Block(items)),
        }
    }
}

fn encoded<'s>(code: impl ExactSizeIterator<Item = Code<'s>>) -> Fragment {
    let mut text = Vec::with_capacity(5 * code.len());
    let mut fixups = Fixups::default();
    for code in code {
        let instruction = match code {
            Code::String(string) => Instruction::String(fixups.intern(FixupKind::Weak, string)),
            Code::Call(name) => Instruction::Call(fixups.intern(FixupKind::Strong, name)),
            Code::Other(instruction) => instruction,
        };
        encode(instruction, &mut text);
    }
    Fragment { text, fixups }
}
