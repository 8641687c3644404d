//! Keys: values by which others are found in a dictionary.
//!
//! Deliberately absent: what makes a key of a string or of a part of an array; that takes the texts and the heap.

use std::hash::Hasher;

use crate::vm::heap::ArrayId;
use crate::vm::names::NameId;
use crate::vm::value::{Packed, Value};

/// A value as a key: equal keys are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(Packed);

impl Key {
    /// The key of what is no value.
    pub(in crate::vm) const VACANT: Self = Self(Packed::NOTHING);

    /// The key of a value that is its own key: every one but null, mark, arrays, and the strings that are not texts.
    #[inline]
    pub(in crate::vm) fn of(value: Value) -> Option<Self> {
        match value {
            // Adding 0.0 changes nothing but -0.0.
            Value::Number(number) => Some(Self(Packed::number(number + 0.0))),
            Value::Null | Value::Mark | Value::String(_) | Value::Array(_) => None,
            _ => Some(Self(value.into())),
        }
    }

    /// The key of an array, which stands for all that are the same part of the same whole.
    pub(in crate::vm) fn array(id: ArrayId) -> Self {
        Self(Value::Array(id).into())
    }

    /// The key of a name.
    #[inline]
    pub(in crate::vm) const fn name(name: NameId) -> Self {
        Self(Packed::text(name))
    }

    /// The name whose key this is.
    #[inline]
    pub(in crate::vm) fn as_name(self) -> Option<NameId> {
        if let Value::Text(name) = self.0.unpack() { Some(name) } else { None }
    }

    /// The value whose key this is.
    pub(in crate::vm) const fn packed(self) -> Packed {
        self.0
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        key.0.unpack()
    }
}

/// Hashes keys: fast, and not safe against keys chosen to collide, which only a program itself could choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyHasher(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        // Whole numbers differ only in the upper half of their bits: both halves must reach both ends.
        let folded = u128::from(value) * u128::from(MULTIPLIER);
        self.0 = (folded as u64) ^ (folded >> 64) as u64;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::isa::builtin::Builtin;
    use crate::vm::value::Procedure;
    use proptest::prelude::*;
    use std::hash::BuildHasherDefault;

    pub(in crate::vm::dictionary) fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            6 => (-20i32..20).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
            1 => Just(Value::Number(-0.0)),
            1 => any::<bool>().prop_map(Value::Boolean),
            4 => (0u32..20).prop_map(|id| Value::Text(NameId::from_operand(id))),
            1 => (0u32..3).prop_map(|id| Value::Procedure(Procedure(id))),
            1 => prop_oneof![Just(Builtin::Add), Just(Builtin::Sub)].prop_map(Value::Operator),
        ]
    }

    pub(in crate::vm::dictionary) fn key(value: Value) -> Key {
        Key::of(value).unwrap()
    }

    proptest! {
        #[test]
        fn keys_are_equal_when_values_are(a in values(), b in values()) {
            prop_assert_eq!(key(a) == key(b), a == b);
            prop_assert_eq!(Value::from(key(a)), a);
        }
    }

    #[test]
    fn whole_numbers_spread_over_the_hash() {
        use std::hash::BuildHasher;
        let hasher = BuildHasherDefault::<KeyHasher>::default();
        let hashes = (0..4096).map(|n| hasher.hash_one(key(Value::Number(f64::from(n)))));
        let (mut low, mut high) = ([0; 64], [0; 64]);
        for hash in hashes {
            low[(hash & 63) as usize] += 1;
            high[(hash >> 58) as usize] += 1;
        }
        assert!(low.iter().chain(&high).all(|count| (16..160).contains(count)));
    }
}
