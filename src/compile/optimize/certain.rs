//! What is surely on the operand stack, from the operators that came before.

use super::literals::Literal;
use crate::isa::builtin::Builtin;

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fact {
    Number,
    Boolean,
    Any,
}

/// Values that are surely there, the topmost last.
#[derive(Debug, Default)]
pub(super) struct Certain {
    values: Vec<Fact>,
}

impl Certain {
    /// How many there are at least.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Whether the topmost is a truth value.
    pub(super) fn is_boolean(&self) -> bool {
        self.values.last() == Some(&Fact::Boolean)
    }

    /// Whether the topmost is a number.
    pub(super) fn is_number(&self) -> bool {
        self.values.last() == Some(&Fact::Number)
    }

    /// Notes that a literal was pushed.
    pub(super) fn push(&mut self, literal: Literal<'_>) {
        self.values.push(match literal {
            Literal::Number(_) => Fact::Number,
            Literal::Boolean(_) => Fact::Boolean,
            Literal::String(_) => Fact::Any,
        });
    }

    /// Notes that something was pushed.
    pub(super) fn push_any(&mut self) {
        self.values.push(Fact::Any);
    }

    /// Notes that an operator was executed, and did not fail.
    pub(super) fn after(&mut self, operator: Builtin) {
        match operator {
            Builtin::Dup => {
                let value = self.values.pop().unwrap_or(Fact::Any);
                self.values.extend([value; 2]);
            }
            Builtin::Exch => {
                let [b, a] = [(); 2].map(|()| self.values.pop().unwrap_or(Fact::Any));
                self.values.extend([b, a]);
            }
            _ => match effect(operator) {
                Some((operands, results)) => {
                    self.values.truncate(self.values.len().saturating_sub(operands));
                    self.values.extend_from_slice(results);
                }
                None => self.values.clear(),
            },
        }
    }
}

/// How many operands an operator takes, and what it leaves, where that is always the same.
const fn effect(operator: Builtin) -> Option<(usize, &'static [Fact])> {
    use Builtin::*;
    Some(match operator {
        Add | Atan | BitShift | Div | Exp | IDiv | Mod | Mul | Sub => (2, &[Fact::Number]),
        Abs | Ceiling | Cos | Cvi | Cvr | Floor | Length | Ln | Log | Neg | Round | Sin | Sqrt | Truncate => {
            (1, &[Fact::Number])
        }
        Count | CountDictStack | CountExecStack | CountToMark | RRand | Rand => (0, &[Fact::Number]),
        Eq | Ge | Gt | Known | Le | Lt | Ne => (2, &[Fact::Boolean]),
        And | Get | Or | Xor => (2, &[Fact::Any]),
        Array | Bind | Load | Not | String | Type => (1, &[Fact::Any]),
        Arguments | CurrentDict | Dict | Mark | Null | OpenBracket | SystemDict => (0, &[Fact::Any]),
        CurrentTrace => (0, &[Fact::Boolean]),
        Begin | Pop | Print | SRand | Trace | Write => (1, &[]),
        Def | Store | Undef => (2, &[]),
        Put => (3, &[]),
        End | Stack => (0, &[]),
        _ => return None,
    })
}
