//! What operators take from the operand stack and what they leave there, as types: the effects in the table of
//! operators, read for a program.
//!
//! Deliberately absent: values, and the operators whose effect depends on values or on a mark (those with `…`).

use std::sync::OnceLock;

use super::builtin::Builtin;

/// A set of types of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(u16);

impl Types {
    /// Numbers.
    pub const NUMBER: Self = Self(1);
    /// Booleans.
    pub const BOOLEAN: Self = Self(1 << 1);
    /// Strings.
    pub const STRING: Self = Self(1 << 2);
    /// Dictionaries.
    pub const DICTIONARY: Self = Self(1 << 3);
    /// Arrays.
    pub const ARRAY: Self = Self(1 << 4);
    /// Procedures.
    pub const PROCEDURE: Self = Self(1 << 5);
    /// Operators.
    pub const OPERATOR: Self = Self(1 << 6);
    /// Marks.
    pub const MARK: Self = Self(1 << 7);
    /// Nulls.
    pub const NULL: Self = Self(1 << 8);
    /// Every type.
    pub const ANY: Self = Self((1 << 9) - 1);

    /// The types of both sets.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The types of this set that are not in the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a type is in both sets.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The names of the types, each with its article.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names = [
            "a number",
            "a boolean",
            "a string",
            "a dictionary",
            "an array",
            "a procedure",
            "an operator",
            "a mark",
            "a null",
        ];
        (0..).zip(names).filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }

    /// The types that a word of an effect stands for; `None` for the words of a varying number of values.
    fn of(word: &str) -> Option<Self> {
        Some(match word.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "num" | "den" | "base" | "exponent" | "angle" | "shift" | "n" => Self::NUMBER,
            "initial" | "increment" | "limit" | "index" | "count" => Self::NUMBER,
            "bool" | "true" | "false" => Self::BOOLEAN,
            "string" | "seek" | "post" | "match" | "pre" => Self::STRING,
            "dict" => Self::DICTIONARY,
            "proc" => Self::PROCEDURE,
            // What is read as an array may be a procedure.
            "array" => Self::ARRAY.or(Self::PROCEDURE),
            "object" => Self::ARRAY.or(Self::PROCEDURE).or(Self::STRING).or(Self::DICTIONARY),
            "key" => Self::ANY.without(Self::MARK.or(Self::NULL)),
            "mark" => Self::MARK,
            "null" => Self::NULL,
            "any" | "value" => Self::ANY,
            _ => return None,
        })
    }
}

/// One of the effects that an operator can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The types of the operands, the top last.
    pub takes: Vec<Types>,
    /// What is left in their place, the top last.
    pub gives: Vec<Given>,
}

/// A value that an operator leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The operand at this index.
    Operand(usize),
    /// A new value of one of these types.
    New(Types),
}

/// So many operators are there.
const COUNT: usize = Builtin::ALL.len();

/// The effects that an operator can have, all with the same number of operands; none of those operators where the
/// number of values that are taken or left varies.
pub fn effects(operator: Builtin) -> &'static [Effect] {
    static EFFECTS: [OnceLock<Vec<Effect>>; COUNT] = [const { OnceLock::new() }; COUNT];
    EFFECTS[operator as usize].get_or_init(|| read(operator).unwrap_or_default())
}

/// Reads `before name after`, and after each ` / ` another one, or what else may be left of the same operands.
fn read(operator: Builtin) -> Option<Vec<Effect>> {
    let mut takes = Vec::new();
    let alternatives = operator.effect().split(" / ");
    let effects = alternatives.map(|alternative| {
        let words = alternative.split(' ').collect::<Vec<_>>();
        // The name may be that of an operand, too, but never stands first: without operands `-` does.
        let name = (1..words.len()).find(|at| words[*at] == operator.name());
        let gives = name.map_or(0, |name| name + 1);
        if let Some(name) = name {
            takes = words[..name].iter().copied().filter(|word| *word != "-").collect();
        }
        effect(&takes, words[gives..].iter().copied().filter(|word| *word != "-"))
    });
    effects.collect()
}

fn effect<'w>(takes: &[&str], gives: impl Iterator<Item = &'w str>) -> Option<Effect> {
    let given = |word: &str| match takes.iter().position(|operand| *operand == word) {
        Some(operand) => Some(Given::Operand(operand)),
        None => Types::of(word).map(Given::New),
    };
    let gives = gives.map(given).collect::<Option<_>>()?;
    Some(Effect { takes: takes.iter().map(|word| Types::of(word)).collect::<Option<_>>()?, gives })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_effect_without_an_ellipsis_is_understood() {
        for operator in Builtin::ALL {
            let effects = effects(*operator);
            assert_eq!(effects.is_empty(), operator.effect().contains('…'), "{}", operator.effect());
            assert!(effects.iter().all(|effect| effect.takes.len() == effects[0].takes.len()));
        }
    }

    #[test]
    fn effects_are_types_of_operands_and_results() {
        let (number, string) = (Types::NUMBER, Types::STRING);
        let effect = |takes: &[Types], gives: &[Given]| Effect { takes: takes.into(), gives: gives.into() };
        assert_eq!(effects(Builtin::Add), [effect(&[number, number], &[Given::New(number)])]);
        assert_eq!(effects(Builtin::String), [effect(&[number], &[Given::New(string)])]);
        assert_eq!(effects(Builtin::Mark), [effect(&[], &[Given::New(Types::MARK)])]);
        let exchanged = [Given::Operand(1), Given::Operand(0)];
        assert_eq!(effects(Builtin::Exch), [effect(&[Types::ANY, Types::ANY], &exchanged)]);
        let lacks = [Given::Operand(0), Given::New(Types::BOOLEAN)];
        assert_eq!(effects(Builtin::Search)[1], effect(&[string, string], &lacks));
    }
}
