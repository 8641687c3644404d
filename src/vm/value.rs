//! Values: what the operand stack holds.
//!
//! Every value is small and copied freely; what it refers to lives in the [heap](super::heap) or among the
//! [texts](super::names). Deliberately absent: numbers that are infinite or NaN.

use std::io::{self, Write};

use super::heap::{DictionaryId, Heap};
use super::names::{NameId, Texts};
use crate::isa::builtin::Builtin;

/// A value of the language. `==` is identity: two strings with the same bytes may differ by it, and
/// [`Machine::is_equal`](super::machine::Machine::is_equal) is the language's `eq`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// Nothing.
    Null,
    /// A mark.
    Mark,
    /// A read-only string: one that stands in the program, or has been a key.
    Text(NameId),
    /// A string made at run time; copies of the value share it.
    String(Slice),
    /// An array; copies of the value share it.
    Array(Slice),
    /// A dictionary; copies of the value share it.
    Dictionary(DictionaryId),
    /// A procedure.
    Procedure(Procedure),
    /// An operator.
    Operator(Builtin),
}

const _: () = assert!(size_of::<Option<Value>>() == 16);

/// A part of an array or string on the heap: all of it, or what `getinterval` made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Which array or string.
    pub(super) id: u32,
    /// Its first element in there.
    pub(super) start: u32,
    /// How many elements.
    pub(super) length: u32,
}

impl Slice {
    /// Where the elements are in the array or string.
    pub(super) const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// A procedure: the body of a definition, or a block in one.
///
/// It is identified by where it was written. The unit belongs to the identity because definitions with equal
/// code share it, and a program must not be able to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Procedure {
    /// The unit of code in which it was written.
    pub(super) unit: u32,
    /// Where its body starts in the unit.
    pub(super) offset: u32,
}

/// How many characters of a string [`Text::brief`] shows.
const BRIEF: usize = 40;
/// How many elements of an array [`Text::brief`] shows.
const BRIEF_ELEMENTS: usize = 4;

impl Value {
    /// The names of all types.
    pub const TYPES: [&'static str; 8] = [
        "arraytype",
        "booleantype",
        "dicttype",
        "marktype",
        "nulltype",
        "operatortype",
        "realtype",
        "stringtype",
    ];

    /// The name of the value's type, which `type` gives.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Number(_) => "realtype",
            Self::Boolean(_) => "booleantype",
            Self::Null => "nulltype",
            Self::Mark => "marktype",
            Self::Text(_) | Self::String(_) => "stringtype",
            Self::Array(_) | Self::Procedure(_) => "arraytype",
            Self::Dictionary(_) => "dicttype",
            Self::Operator(_) => "operatortype",
        }
    }
}

/// The text of a value.
#[derive(Debug, Clone, Copy)]
pub struct Text<'m> {
    pub(super) value: Value,
    pub(super) heap: &'m Heap,
    pub(super) texts: &'m Texts<'m>,
}

impl<'m> Text<'m> {
    /// The bytes of a string.
    pub(super) fn bytes(self) -> Option<&'m [u8]> {
        match self.value {
            Value::Text(id) => Some(self.texts.bytes(id)),
            Value::String(slice) => Some(self.heap.string(slice)),
            _ => None,
        }
    }

    /// Writes what `print` writes for the value, without the line feed.
    pub fn write(self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        match self.value {
            Value::Number(number) => write!(out, "{number:?}"),
            Value::Text(_) | Value::String(_) => out.write_all(self.bytes().unwrap_or_default()),
            other => out.write_all(other.word().as_bytes()),
        }
    }

    /// The value for a person's eyes: as [`Text::write`] has it, but strings in quotes, arrays with their first
    /// elements, and all of it cut when long.
    pub fn brief(self) -> String {
        let mut brief = String::new();
        self.write_brief(&mut brief);
        brief
    }

    fn write_brief(self, brief: &mut String) {
        match self.value {
            Value::Number(number) => brief.push_str(&format!("{number:?}")),
            Value::Array(slice) => {
                let elements = self.heap.array(slice);
                brief.push('[');
                for (at, element) in elements.iter().take(BRIEF_ELEMENTS).enumerate() {
                    brief.push_str(if at > 0 { " " } else { "" });
                    match element {
                        // An array may hold itself.
                        Value::Array(_) => brief.push_str(element.word()),
                        _ => Self { value: *element, ..self }.write_brief(brief),
                    }
                }
                brief.push_str(if elements.len() > BRIEF_ELEMENTS { " …]" } else { "]" });
            }
            _ => match self.bytes() {
                Some(bytes) => brief.push_str(&quoted(bytes)),
                None => brief.push_str(self.value.word()),
            },
        }
    }
}

/// A string in quotes, cut when it is long.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(BRIEF) {
        None => format!("{text:?}"),
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
    }
}

impl Value {
    /// The text of a value that is neither a number nor a string.
    const fn word(self) -> &'static str {
        match self {
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Null => "-null-",
            Self::Mark => "-mark-",
            Self::Array(_) => "-array-",
            Self::Dictionary(_) => "-dict-",
            Self::Procedure(_) => "-procedure-",
            Self::Operator(_) => "-operator-",
            Self::Number(_) | Self::Text(_) | Self::String(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::names::Names;
    use proptest::prelude::*;

    fn text(number: f64) -> String {
        let names = Names::default();
        let (heap, texts) = (Heap::new(0), Texts::new(&names));
        let mut text = Vec::new();
        Text { value: Value::Number(number), heap: &heap, texts: &texts }.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
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
            Value::Text(one),
            Value::Null,
            Value::Mark,
            Value::Procedure(Procedure { unit: 0, offset: 0 }),
            Value::Procedure(Procedure { unit: 1, offset: 0 }),
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
        let names = Names::default();
        let (mut heap, texts) = (Heap::new(0), Texts::new(&names));
        let [short, long] =
            ["a\"é\n", &"é".repeat(41)].map(|text| Value::String(heap.new_string(text.into(), true)));
        let few = Value::Array(heap.new_array(vec![Value::Number(1.0), short]));
        let many = Value::Array(heap.new_array(vec![Value::Null; 5]));
        let nested = Value::Array(heap.new_array(vec![few, Value::Boolean(true)]));
        let brief = |value| Text { value, heap: &heap, texts: &texts }.brief();
        assert_eq!(brief(short), r#""a\"é\n""#);
        assert_eq!(brief(long), format!("\"{}\"…", "é".repeat(40)));
        assert_eq!(brief(Value::Boolean(true)), "true");
        assert_eq!(brief(few), r#"[1.0 "a\"é\n"]"#);
        assert_eq!(brief(many), "[-null- -null- -null- -null- …]");
        assert_eq!(brief(nested), "[-array- true]");
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
