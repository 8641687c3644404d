//! What is surely on the operand stack, from the operators that came before.

use super::literals::Literal;
use crate::isa::builtin::Builtin;
use crate::isa::effect::{Given, Types, effects};

/// The types of values that are surely there, the topmost last.
#[derive(Debug, Default)]
pub(super) struct Certain {
    values: Vec<Types>,
}

impl Certain {
    /// How many there are at least.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Whether just these types are known of the topmost.
    pub(super) fn is(&self, types: Types) -> bool {
        self.values.last() == Some(&types)
    }

    /// Notes that a literal was pushed.
    pub(super) fn push(&mut self, literal: Literal<'_>) {
        self.values.push(match literal {
            Literal::Number(_) => Types::NUMBER,
            Literal::Boolean(_) => Types::BOOLEAN,
            Literal::String(_) => Types::STRING,
        });
    }

    /// Notes that a procedure was pushed.
    pub(super) fn push_procedure(&mut self) {
        self.values.push(Types::PROCEDURE);
    }

    /// Notes that an operator was executed, and did not fail.
    pub(super) fn after(&mut self, operator: Builtin) {
        let effects = effects(operator);
        let first = effects.first().filter(|_| !executes(operator));
        let Some(first) = first else { return self.values.clear() };
        let mut operands = vec![Types::ANY; first.takes.len()];
        operands.iter_mut().rev().for_each(|operand| *operand = self.values.pop().unwrap_or(Types::ANY));
        // Of several effects, what all of them leave on top.
        let given = effects.iter().map(|effect| effect.gives.len()).min().unwrap_or_default();
        let types = |given: &Given| match *given {
            Given::Operand(at) => operands[at],
            Given::New(types) => types,
        };
        let on_top = |depth: usize| {
            let all = effects.iter().map(|effect| types(&effect.gives[effect.gives.len() - depth]));
            all.reduce(Types::or).unwrap_or(Types::ANY)
        };
        self.values.extend((1..=given).rev().map(on_top));
    }
}

/// Whether an operator executes what may do anything to the operands.
const fn executes(operator: Builtin) -> bool {
    use Builtin::*;
    matches!(operator, Exec | For | ForAll | If | IfElse | Loop | Repeat | Stopped)
}
