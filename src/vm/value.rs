//! Values: what the operand stack holds.
//!
//! Every value is small and copied freely; what it refers to lives in the [heap](super::heap) or among the
//! [texts](super::names). Deliberately absent: numbers that are infinite or NaN.

use std::io::{self, Write};

use super::heap::{ArrayId, DictionaryId, Heap, StringId};
use super::names::{NameId, Texts};
pub(super) use crate::isa::arithmetic::{is_whole, truncated};
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
    String(StringId),
    /// An array; copies of the value share it.
    Array(ArrayId),
    /// A dictionary; copies of the value share it.
    Dictionary(DictionaryId),
    /// A procedure.
    Procedure(Procedure),
    /// An operator.
    Operator(Builtin),
}

/// A procedure: the body of a definition, or a block in one.
///
/// It is identified by where it was written, and by the symbol: definitions with equal code share it, and a program
/// must not be able to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Procedure(pub(super) u32);

/// A value in eight bytes: a number as it is, anything else as a number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Packed(u64);

/// The exponent of what is no finite number.
const EXPONENT: u64 = 0x7ff0 << 48;

/// What a packed value is that is no number: the four bits after the exponent. The lower 32 bits hold the rest.
type Tag = u64;
const FALSE: Tag = 1;
const TRUE: Tag = 2;
const NULL: Tag = 3;
const MARK: Tag = 4;
const TEXT: Tag = 5;
const STRING: Tag = 6;
const ARRAY: Tag = 7;
const DICTIONARY: Tag = 8;
const PROCEDURE: Tag = 9;
const OPERATOR: Tag = 10;

impl Packed {
    /// No value.
    pub(super) const NOTHING: Self = Self(EXPONENT);
    /// What an empty slot holds.
    pub(super) const NULL: Self = Self::tagged(NULL, 0);
    /// The least and the greatest bits of a procedure or operator.
    pub(super) const CODE: [Self; 2] = [Self::tagged(PROCEDURE, 0), Self::tagged(OPERATOR, u32::MAX)];
    /// The least and the greatest bits of a string or array: two of these may be equal, and not the same.
    pub(super) const COMPARED: [Self; 2] = [Self::tagged(TEXT, 0), Self::tagged(ARRAY, u32::MAX)];
    /// A mark.
    pub(super) const MARK: Self = Self::tagged(MARK, 0);

    /// The bits, as native code has them.
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    /// The value with these bits, which are those of a value.
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    const fn tagged(tag: Tag, rest: u32) -> Self {
        Self(EXPONENT | tag << 48 | rest as u64)
    }

    /// A finite number.
    #[inline]
    pub(super) const fn number(number: f64) -> Self {
        Self(number.to_bits())
    }

    /// The number, if it is one.
    #[inline]
    pub(super) fn as_number(self) -> Option<f64> {
        self.is_number().then_some(f64::from_bits(self.0))
    }

    /// Whether it is a number.
    #[inline]
    pub(super) const fn is_number(self) -> bool {
        self.0 & EXPONENT != EXPONENT
    }

    /// Whether it is a value that is no procedure and no operator.
    #[inline]
    pub(super) const fn is_data(self) -> bool {
        let (nothing, code) = (Self::NOTHING.0, Self::tagged(PROCEDURE, 0).0);
        // Negative numbers have greater bits than anything else.
        self.0 != nothing && (self.0 < code || self.is_number())
    }

    /// Whether it is a procedure or an operator.
    #[inline]
    pub(super) const fn is_code(self) -> bool {
        self.0 >= Self::tagged(PROCEDURE, 0).0 && self.0 <= Self::tagged(OPERATOR, u32::MAX).0
    }

    /// Whether nothing is equal to it that has other bits.
    pub(super) const fn is_simple(self) -> bool {
        !self.is_number() && (self.0 < Self::COMPARED[0].0 || self.0 > Self::COMPARED[1].0)
    }

    /// A truth value.
    #[inline]
    pub(super) const fn boolean(value: bool) -> Self {
        Self::tagged(FALSE + value as Tag, 0)
    }

    /// The truth value, if it is one.
    #[inline]
    pub(super) const fn as_boolean(self) -> Option<bool> {
        const FALSE: u64 = Packed::boolean(false).0;
        const TRUE: u64 = Packed::boolean(true).0;
        match self.0 {
            FALSE => Some(false),
            TRUE => Some(true),
            _ => None,
        }
    }

    /// A string that stands in the program, or has been a key.
    #[inline]
    pub(super) const fn text(name: NameId) -> Self {
        Self::tagged(TEXT, name.to_operand())
    }

    /// A procedure.
    #[inline]
    pub(super) const fn procedure(procedure: Procedure) -> Self {
        Self::tagged(PROCEDURE, procedure.0)
    }

    /// The value.
    #[inline]
    pub fn unpack(self) -> Value {
        if let Some(number) = self.as_number() {
            return Value::Number(number);
        }
        let rest = self.0 as u32;
        match (self.0 ^ EXPONENT) >> 48 {
            FALSE => Value::Boolean(false),
            TRUE => Value::Boolean(true),
            MARK => Value::Mark,
            TEXT => Value::Text(NameId::from_operand(rest)),
            STRING => Value::String(StringId(rest)),
            ARRAY => Value::Array(ArrayId(rest)),
            DICTIONARY => Value::Dictionary(DictionaryId(rest)),
            PROCEDURE => Value::Procedure(Procedure(rest)),
            OPERATOR => Value::Operator(Builtin::ALL[rest as usize % Builtin::ALL.len()]),
            _ => Value::Null,
        }
    }
}

impl From<Value> for Packed {
    #[inline]
    fn from(value: Value) -> Self {
        match value {
            Value::Number(number) => Self::number(number),
            Value::Boolean(value) => Self::boolean(value),
            Value::Null => Self::NULL,
            Value::Mark => Self::MARK,
            Value::Text(name) => Self::text(name),
            Value::String(id) => Self::tagged(STRING, id.0),
            Value::Array(id) => Self::tagged(ARRAY, id.0),
            Value::Dictionary(id) => Self::tagged(DICTIONARY, id.0),
            Value::Procedure(procedure) => Self::procedure(procedure),
            Value::Operator(operator) => Self::tagged(OPERATOR, operator as u32),
        }
    }
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
    pub(super) texts: &'m Texts,
}

impl<'m> Text<'m> {
    /// The bytes of a string.
    pub(super) fn bytes(self) -> Option<&'m [u8]> {
        match self.value {
            Value::Text(id) => Some(self.heap.string(self.texts.string(id))),
            Value::String(id) => Some(self.heap.string(id)),
            _ => None,
        }
    }

    /// Writes what `print` writes for the value, without the line feed.
    pub fn write(self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        match self.bytes() {
            Some(bytes) => out.write_all(bytes),
            None => out.write_all(Word::of(self.value).bytes()),
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
            Value::Array(id) => {
                let elements = self.heap.array(id);
                brief.push('[');
                for (at, element) in elements.iter().take(BRIEF_ELEMENTS).enumerate() {
                    brief.push_str(if at > 0 { " " } else { "" });
                    match element.unpack() {
                        // An array may hold itself.
                        Value::Array(id) => brief.push_str(Value::Array(id).word()),
                        value => Self { value, ..self }.write_brief(brief),
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

/// The text of a value that is no string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// The text stands at their end.
    bytes: [u8; Self::LONGEST],
    start: usize,
}

impl Word {
    /// As long as no number with a fraction, or an exponent, gets.
    const LONGEST: usize = 32;

    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Number(number) => Self::of_number(number),
            other => Self::new(other.word().as_bytes()),
        }
    }

    fn new(text: &[u8]) -> Self {
        let mut word = Self { bytes: [0; Self::LONGEST], start: Self::LONGEST - text.len() };
        word.bytes[word.start..].copy_from_slice(text);
        word
    }

    fn of_number(number: f64) -> Self {
        let magnitude = number.abs() as u64;
        if magnitude >= EXACT || magnitude as f64 != number.abs() || number.to_bits() == NEGATIVE_ZERO {
            let mut text = [0; Self::LONGEST];
            let mut rest = &mut text[..];
            // There is room for every number.
            let _ = write!(rest, "{number:?}");
            let length = Self::LONGEST - rest.len();
            return Self::new(&text[..length]);
        }
        let mut word = Self::new(b".0");
        let mut digits = magnitude;
        while digits >= 100 {
            let two = (digits % 100) as u8;
            word.push(b'0' + two % 10);
            word.push(b'0' + two / 10);
            digits /= 100;
        }
        word.push(b'0' + (digits % 10) as u8);
        if digits >= 10 {
            word.push(b'0' + (digits / 10) as u8);
        }
        if number < 0.0 {
            word.push(b'-');
        }
        word
    }

    /// Puts a byte before the others.
    fn push(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// Whole numbers below this are written by their digits: 10¹⁵.
const EXACT: u64 = 1_000_000_000_000_000;
const NEGATIVE_ZERO: u64 = 1 << 63;

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
    use crate::vm::heap::Access;
    use crate::vm::names::Names;
    use proptest::prelude::*;

    fn text(number: f64) -> String {
        let names = Names::default();
        let mut heap = Heap::new(0);
        let texts = Texts::new(&names, &mut heap);
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
            (-120.0, "-120.0"),
            (999_999_999_999_999.0, "999999999999999.0"),
            (1e15, "1000000000000000.0"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
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
            Value::Boolean(false),
            Value::String(StringId(0)),
            Value::Array(ArrayId(0)),
            Value::Dictionary(DictionaryId(0)),
            Value::Procedure(Procedure(0)),
            Value::Procedure(Procedure(1)),
            Value::Operator(Builtin::Add),
            Value::Operator(Builtin::Sub),
        ];
        for (at, value) in values.iter().enumerate() {
            assert_eq!(Packed::from(*value).unpack(), *value);
            for (other_at, other) in values.iter().enumerate() {
                assert_eq!(value == other, at == other_at);
                assert_eq!(Packed::from(*value) == Packed::from(*other), at == other_at);
            }
        }
        assert_eq!(Value::Number(-0.0), Value::Number(0.0));
    }

    #[test]
    fn a_brief_text_is_quoted_and_bounded() {
        let names = Names::default();
        let mut heap = Heap::new(0);
        let texts = Texts::new(&names, &mut heap);
        let [short, long] = ["a\"é\n", &"é".repeat(41)]
            .map(|text| heap.new_string(text.as_bytes(), Access::ReadOnly).unwrap());
        let [short, long] = [short, long].map(Value::String);
        let few = Value::Array(heap.new_array(&[Value::Number(1.0).into(), short.into()]).unwrap());
        let many = Value::Array(heap.new_array_of_nulls(5).unwrap());
        let nested = Value::Array(heap.new_array(&[few.into(), Value::Boolean(true).into()]).unwrap());
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
        fn numbers_are_truncated(number in any::<f64>().prop_filter("finite", |n| n.is_finite()), small in -3.0..3.0) {
            for number in [number, small, small.round(), number.round()] {
                prop_assert_eq!(truncated(number).to_bits(), number.trunc().to_bits());
                prop_assert_eq!(is_whole(number), number.fract() == 0.0);
            }
        }

        #[test]
        fn a_number_s_text_reads_back_the_same(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let text = text(number);
            prop_assert!(text.contains(['.', 'e']));
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
            prop_assert_eq!(Packed::number(number).unpack(), Value::Number(number));
            let plain = number == 0.0 || (1e-4..1e16).contains(&number.abs());
            prop_assert_eq!(text.contains('e'), !plain);
        }
    }
}
