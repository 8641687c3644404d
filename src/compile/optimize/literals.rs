//! Values that a body surely pushes, before they are written: what can be calculated with them is.

use std::ops::Range;

use super::certain::Certain;
use crate::compile::generate::Code;
use crate::isa::arithmetic::{bits, is_whole, of_bits, quotient, remainder, round, shifted, truncated};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;
use crate::syntax::ast::ItemKind;

/// A value that stands in the source, or was calculated from such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Literal<'s> {
    Number(f64),
    Boolean(bool),
    String(&'s str),
}

/// The literals on top of the operand stack, and the items that push them.
#[derive(Debug, Default)]
pub(super) struct Literals<'s> {
    values: Vec<Literal<'s>>,
    /// One after the other, without a gap.
    groups: Vec<Group>,
}

/// Items that push some of the values, up to the next group's first. They may push none.
#[derive(Debug)]
struct Group {
    items: Range<usize>,
    first: usize,
}

impl<'s> Literals<'s> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Whether the topmost is `false`.
    pub(super) fn is_false(&self) -> bool {
        self.values.last() == Some(&Literal::Boolean(false))
    }

    /// Adds the literal that is an item.
    pub(super) fn push(&mut self, literal: Literal<'s>, item: usize) {
        self.leave_out(item..item + 1);
        self.values.push(literal);
    }

    /// Adds items that do nothing.
    pub(super) fn leave_out(&mut self, items: Range<usize>) {
        self.groups.push(Group { items, first: self.values.len() });
    }

    /// Takes the topmost away, with all items up to `end`.
    pub(super) fn leave_out_with_condition(&mut self, end: usize) {
        self.replace(1, &[], end);
    }

    /// Does what an operator would do with the topmost, if it is known and cannot fail.
    pub(super) fn calculate(&mut self, operator: Builtin, item: usize) -> bool {
        let Some((operands, results)) = calculated(operator, &self.values) else { return false };
        self.replace(operands, &results, item + 1);
        true
    }

    /// Puts results in the place of the topmost values. All items up to `end` are for them.
    fn replace(&mut self, operands: usize, results: &[Literal<'s>], end: usize) {
        let below = self.values.len() - operands;
        while self.groups.last().is_some_and(|group| group.first > below) {
            self.groups.pop();
        }
        if let Some(group) = self.groups.last_mut() {
            group.items.end = end;
        }
        self.values.truncate(below);
        self.values.extend_from_slice(results);
    }

    /// Writes the instructions that push what is here, which is then below. `plain` is the instruction for an item
    /// where nothing is done but to bind operators.
    pub(super) fn write(
        &mut self,
        plain: impl Fn(usize) -> Code<'s>,
        code: &mut Vec<(Code<'s>, usize)>,
        certain: &mut Certain,
    ) {
        let mut values = self.values.drain(..);
        let mut groups = self.groups.drain(..).peekable();
        while let Some(Group { items, first }) = groups.next() {
            let next = groups.peek().map(|next| next.first);
            let count = next.map_or(values.len(), |next| next - first);
            let (source, place) = (items.len(), items.end - 1);
            let is_shorter = count < source;
            if is_shorter {
                let instead = Instruction::Instead { source: source as u32, code: count as u32 };
                code.push((Code::Other(instead), items.start));
            }
            code.extend(items.map(|item| (plain(item), item)));
            for value in values.by_ref().take(count) {
                certain.push(value);
                if is_shorter {
                    code.push((value.code(), place));
                }
            }
        }
    }
}

impl<'s> Literal<'s> {
    fn code(self) -> Code<'s> {
        Code::plain(match self {
            Self::Number(number) => ItemKind::Number(number),
            Self::Boolean(value) => ItemKind::Boolean(value),
            Self::String(string) => ItemKind::String(string),
        })
    }
}

/// How many of the topmost values an operator takes, and what it leaves.
fn calculated<'s>(operator: Builtin, values: &[Literal<'s>]) -> Option<(usize, Vec<Literal<'s>>)> {
    use Literal::{Boolean, Number};
    Some(match (operator, values) {
        (Builtin::Pop, [.., _]) => (1, vec![]),
        (Builtin::Dup, [.., value]) => (1, vec![*value; 2]),
        (Builtin::Exch, [.., a, b]) => (2, vec![*b, *a]),
        (Builtin::Not, [.., Boolean(value)]) => (1, vec![Boolean(!value)]),
        (_, [.., Boolean(a), Boolean(b)]) => (2, vec![of_booleans(operator, *a, *b)?]),
        (_, [.., Number(a), Number(b)]) if let Some(result) = of_numbers(operator, *a, *b) => {
            (2, vec![result])
        }
        (_, [.., Number(number)]) => (1, vec![Number(of_number(operator, *number)?)]),
        _ => return None,
    })
}

fn of_booleans<'s>(operator: Builtin, a: bool, b: bool) -> Option<Literal<'s>> {
    Some(Literal::Boolean(match operator {
        Builtin::And => a & b,
        Builtin::Or => a | b,
        Builtin::Xor | Builtin::Ne => a ^ b,
        Builtin::Eq => a == b,
        _ => return None,
    }))
}

fn of_numbers<'s>(operator: Builtin, a: f64, b: f64) -> Option<Literal<'s>> {
    let of_bits = |result: fn(i64, i64) -> Option<i64>| {
        let (a, b) = Some((a, b)).filter(|(a, b)| is_whole(*a) && is_whole(*b))?;
        of_bits(result(bits(a)?, bits(b)?)?)
    };
    let result = match operator {
        Builtin::Add => a + b,
        Builtin::Sub => a - b,
        Builtin::Mul => a * b,
        Builtin::Div => a / b,
        Builtin::IDiv if is_whole(a) && is_whole(b) => quotient(a, b),
        Builtin::Mod if is_whole(a) && is_whole(b) => remainder(a, b),
        Builtin::And => of_bits(|a, b| Some(a & b))?,
        Builtin::Or => of_bits(|a, b| Some(a | b))?,
        Builtin::Xor => of_bits(|a, b| Some(a ^ b))?,
        Builtin::BitShift => of_bits(shifted)?,
        _ => return compared(operator, a, b).map(Literal::Boolean),
    };
    result.is_finite().then_some(Literal::Number(result))
}

fn compared(operator: Builtin, a: f64, b: f64) -> Option<bool> {
    Some(match operator {
        Builtin::Eq => a == b,
        Builtin::Ne => a != b,
        Builtin::Lt => a < b,
        Builtin::Le => a <= b,
        Builtin::Gt => a > b,
        Builtin::Ge => a >= b,
        _ => return None,
    })
}

fn of_number(operator: Builtin, number: f64) -> Option<f64> {
    Some(match operator {
        Builtin::Abs => number.abs(),
        Builtin::Ceiling => number.ceil(),
        Builtin::Floor => number.floor(),
        Builtin::Neg => -number,
        Builtin::Not if is_whole(number) => of_bits(!bits(number)?)?,
        Builtin::Round => round(number),
        Builtin::Sqrt if number >= 0.0 => number.sqrt(),
        Builtin::Truncate => truncated(number),
        _ => return None,
    })
}
