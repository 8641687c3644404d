//! Values: what the operand stack holds.
//!
//! Every value is small and copied freely; dictionaries live in the [heap](super::heap) and strings in the
//! program's [names](super::names). Deliberately absent: numbers that are infinite or NaN.

use std::fmt;

use super::heap::DictionaryId;
use super::names::{NameId, Names};
use crate::isa::builtin::Builtin;

/// A value of the language. `==` is the language's `eq`: no conversion between types, `-0.0` equals `0.0`,
/// dictionaries and procedures by identity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A read-only string.
    String(NameId),
    /// A dictionary; copies of the value share it.
    Dictionary(DictionaryId),
    /// A procedure.
    Procedure(Procedure),
    /// An operator.
    Operator(Builtin),
}

const _: () = assert!(size_of::<Option<Value>>() == 16);

/// A procedure: the body of a definition, or a block in one.
///
/// It is identified by where it was written. The symbol belongs to the identity because definitions with equal
/// code share it, and a program must not be able to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Procedure {
    pub(super) symbol: u32,
    /// Where in the loaded code its block instruction stands.
    pub(super) block: u32,
}

/// How many characters of a string [`Value::brief`] shows.
const BRIEF: usize = 40;

impl Value {
    /// What `print` writes for this value, without the line feed.
    pub fn text(self, names: &Names) -> Text<'_> {
        Text { value: self, names }
    }

    /// The value for a person's eyes: as [`Value::text`] has it, but strings in quotes and cut when long.
    pub fn brief(self, names: &Names) -> String {
        let Value::String(id) = self else { return self.text(names).to_string() };
        let text = names.text(id);
        match text.char_indices().nth(BRIEF) {
            None => format!("{text:?}"),
            Some((cut, _)) => format!("{:?}…", &text[..cut]),
        }
    }
}

/// The text of a value, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct Text<'n> {
    value: Value,
    names: &'n Names,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Number(number) => write!(f, "{number:?}"),
            Value::Boolean(value) => f.write_str(if value { "true" } else { "false" }),
            Value::String(id) => f.write_str(self.names.text(id)),
            Value::Dictionary(_) => f.write_str("-dict-"),
            Value::Procedure(_) => f.write_str("-procedure-"),
            Value::Operator(_) => f.write_str("-operator-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(number: f64) -> String {
        Value::Number(number).text(&Names::default()).to_string()
    }

    #[test]
    fn numbers_have_a_fraction_or_an_exponent() {
        for (number, expected) in [
            (6.0, "6.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e16"),
            (1.5e16, "1.5e16"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.000_099, "9.9e-5"),
            (1e-7, "1e-7"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::from_bits(1), "5e-324"),
            (1.0 / 3.0, "0.3333333333333333"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(text(number), expected);
        }
    }

    #[test]
    fn values_of_different_types_differ() {
        let mut names = Names::default();
        let one = names.intern(&"1.0".into());
        let values = [
            Value::Number(1.0),
            Value::Boolean(true),
            Value::String(one),
            Value::Procedure(Procedure { symbol: 0, block: 0 }),
            Value::Procedure(Procedure { symbol: 1, block: 0 }),
            Value::Operator(Builtin::Add),
            Value::Operator(Builtin::Sub),
        ];
        for (at, value) in values.iter().enumerate() {
            for (other_at, other) in values.iter().enumerate() {
                assert_eq!(value == other, at == other_at);
            }
        }
        assert_eq!(Value::Number(-0.0), Value::Number(0.0));
    }

    #[test]
    fn a_brief_text_is_quoted_and_bounded() {
        let mut names = Names::default();
        let short = names.intern(&"a\"é\n".into());
        assert_eq!(Value::String(short).brief(&names), r#""a\"é\n""#);
        let long = names.intern(&"é".repeat(41).into());
        assert_eq!(Value::String(long).brief(&names), format!("\"{}\"…", "é".repeat(40)));
        assert_eq!(Value::Boolean(true).brief(&names), "true");
    }

    proptest! {
        #[test]
        fn a_number_s_text_reads_back_the_same(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let text = text(number);
            prop_assert!(text.contains(['.', 'e']));
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
            let plain = number == 0.0 || (1e-4..1e16).contains(&number.abs());
            prop_assert_eq!(text.contains('e'), !plain);
        }
    }
}
