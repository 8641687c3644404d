//! The optimiser (`-O`): binds operators early, compiles blocks in place, and does at once what is certain.
//!
//! A program must not be able to tell, but by redefining an operator: what would fail is left as it is, and the
//! source of whatever was replaced stands beside it ([`Instruction::Instead`]), for who looks at a procedure's elements.
//! Deliberately absent: whatever needs to know another procedure.

use self::certain::Certain;
use self::literals::{Literal, Literals};
use super::binding::Binding;
use super::generate::Code;
use crate::isa::builtin::Builtin;
use crate::isa::effect::Types;
use crate::isa::instruction::Instruction;
use crate::syntax::ast::{Item, ItemKind};

mod certain;
mod literals;

/// The version of the optimiser. It changes when the same body gets other code with `-O`.
pub(super) const VERSION: u32 = 1;

/// The optimised code of a body: each instruction with the index of the item where its place in the source is.
/// The lines of these places ascend: an operator with its block in place is at the block, what was calculated is at
/// the operator that would have done it.
pub(super) fn optimize<'s>(body: &[Item<'s>], binding: Binding) -> Vec<(Code<'s>, usize)> {
    let mut optimizer = Optimizer {
        body,
        binding,
        at: 0,
        code: Vec::with_capacity(body.len()),
        open: Vec::new(),
        literals: Literals::default(),
        certain: Certain::default(),
    };
    while optimizer.close_blocks() {
        optimizer.next();
    }
    optimizer.code
}

struct Optimizer<'b, 's> {
    body: &'b [Item<'s>],
    binding: Binding,
    /// The next item.
    at: usize,
    code: Vec<(Code<'s>, usize)>,
    /// The blocks around the next item.
    open: Vec<Open>,
    /// What was pushed last, and not written yet.
    literals: Literals<'s>,
    /// What is below that.
    certain: Certain,
}

/// A block whose code is being written.
#[derive(Debug)]
struct Open {
    /// The item after its last.
    end: usize,
    /// Where its instruction is.
    code: usize,
    kind: Kind,
    /// What is certain after it.
    certain: Certain,
}

/// What becomes of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// It is a value.
    Value,
    /// It is in place, and the operator after it is done with it: `if`, `for`, `repeat`, `loop`.
    InPlace(Builtin),
    /// It is in place, the first of two for `ifelse`.
    First,
    /// It is the second of these.
    Second,
}

impl<'s> Optimizer<'_, 's> {
    /// Ends the blocks that end here. Tells whether there is another item.
    fn close_blocks(&mut self) -> bool {
        while let Some(block) = self.open.pop_if(|open| open.end == self.at) {
            self.write_literals();
            let length = (self.code.len() - block.code - 1) as u32;
            self.code[block.code].0 = Code::Other(block.kind.instruction(length));
            self.certain = block.certain;
            match block.kind {
                Kind::Value => self.certain.push_procedure(),
                Kind::First => self.open_block(Kind::Second),
                // Past the operator.
                Kind::InPlace(_) | Kind::Second => self.at += 1,
            }
        }
        if self.at == self.body.len() {
            self.write_literals();
        }
        self.at < self.body.len()
    }

    /// Takes the next item.
    fn next(&mut self) {
        let literal = match self.body[self.at].kind {
            ItemKind::Number(value) => Literal::Number(value),
            ItemKind::Boolean(value) => Literal::Boolean(value),
            ItemKind::String(string) => Literal::String(string),
            ItemKind::Name(name) => return self.name(name),
            ItemKind::Block(items) => return self.block(items),
        };
        self.literals.push(literal, self.at);
        self.at += 1;
    }

    fn name(&mut self, name: &'s str) {
        let Some(operator) = self.binding.operator(name) else {
            self.write(Code::Call(name));
            self.certain = Certain::default();
            return;
        };
        if self.literals.calculate(operator, self.at) {
            self.at += 1;
        } else if self.is_undone(operator) {
            self.literals.leave_out(self.at..self.at + 2);
            self.at += 2;
        } else {
            self.write(Code::Other(Instruction::Operator(operator)));
            self.certain.after(operator);
        }
    }

    /// Whether the operator that comes now and the one after it surely have no effect together.
    fn is_undone(&self, operator: Builtin) -> bool {
        let (literals, all) = (self.literals.count(), self.literals.count() + self.certain.count());
        match (operator, self.operator(self.at + 1)) {
            (Builtin::Dup, Some(Builtin::Pop)) => all >= 1,
            (Builtin::Exch, Some(Builtin::Exch)) => all >= 2,
            (Builtin::Not, Some(Builtin::Not)) => literals == 0 && self.certain.is(Types::BOOLEAN),
            (Builtin::Neg, Some(Builtin::Neg)) => literals == 0 && self.certain.is(Types::NUMBER),
            _ => false,
        }
    }

    /// The operator that an item of the innermost block names.
    fn operator(&self, item: usize) -> Option<Builtin> {
        let end = self.open.last().map_or(self.body.len(), |open| open.end);
        match self.body[..end].get(item)?.kind {
            ItemKind::Name(name) => self.binding.operator(name),
            _ => None,
        }
    }

    /// Takes a block of so many items.
    fn block(&mut self, items: u32) {
        let end = self.at + 1 + items as usize;
        match self.operator(end) {
            Some(Builtin::If) if self.literals.is_false() => {
                self.at = end + 1;
                self.literals.leave_out_with_condition(self.at);
            }
            Some(operator @ (Builtin::If | Builtin::For | Builtin::Repeat | Builtin::Loop)) => {
                self.open_block(Kind::InPlace(operator));
            }
            _ => match self.body.get(end).map(|item| item.kind) {
                Some(ItemKind::Block(second))
                    if self.operator(end + 1 + second as usize) == Some(Builtin::IfElse) =>
                {
                    self.open_block(Kind::First);
                }
                _ => self.open_block(Kind::Value),
            },
        }
    }

    /// Begins a block, which comes now.
    fn open_block(&mut self, kind: Kind) {
        let ItemKind::Block(items) = self.body[self.at].kind else { return };
        self.write(Code::plain(ItemKind::Block(items)));
        let outer = std::mem::take(&mut self.certain);
        self.open.push(Open {
            end: self.at + items as usize,
            code: self.code.len() - 1,
            kind,
            // What is executed in place may leave any operands.
            certain: if kind == Kind::Value { outer } else { Certain::default() },
        });
    }

    /// Writes an instruction for the next item, after what was pushed before.
    fn write(&mut self, code: Code<'s>) {
        self.write_literals();
        self.code.push((code, self.at));
        self.at += 1;
    }

    fn write_literals(&mut self) {
        let (body, binding) = (self.body, self.binding);
        let plain = |item: usize| match body[item].kind {
            ItemKind::Name(name) => bound(name, binding),
            kind => Code::plain(kind),
        };
        self.literals.write(plain, &mut self.code, &mut self.certain);
    }
}

/// The instruction for a name.
fn bound(name: &str, binding: Binding) -> Code<'_> {
    binding.operator(name).map_or(Code::Call(name), |operator| Code::Other(Instruction::Operator(operator)))
}

impl Kind {
    /// The instruction of a block of so many instructions.
    const fn instruction(self, length: u32) -> Instruction {
        match self {
            Self::InPlace(Builtin::If) => Instruction::If(length),
            Self::InPlace(Builtin::For) => Instruction::For(length),
            Self::InPlace(Builtin::Repeat) => Instruction::Repeat(length),
            Self::InPlace(Builtin::Loop) => Instruction::Loop(length),
            Self::InPlace(_) | Self::Value => Instruction::Block(length),
            Self::First => Instruction::IfElse(length),
            Self::Second => Instruction::Else(length),
        }
    }
}

#[cfg(test)]
mod tests;
