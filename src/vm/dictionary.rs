//! Dictionaries: values under keys, in the order in which the keys were first stored.
//!
//! Deliberately absent: access rules (systemdict is read-only because the operators refuse to write to it).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::heap::DictionaryId;
use super::names::NameId;
use super::value::{Procedure, Value};
use crate::isa::builtin::Builtin;

/// A value as a key: equal keys are equal values, and every value has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(KeyKind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum KeyKind {
    /// The bits of the number; of `0.0` for `-0.0`.
    Number(u64),
    Boolean(bool),
    String(NameId),
    Dictionary(DictionaryId),
    Procedure(Procedure),
    Operator(Builtin),
}

impl From<Value> for Key {
    fn from(value: Value) -> Self {
        Self(match value {
            // Adding 0.0 changes nothing but -0.0.
            Value::Number(number) => KeyKind::Number((number + 0.0).to_bits()),
            Value::Boolean(value) => KeyKind::Boolean(value),
            Value::String(id) => KeyKind::String(id),
            Value::Dictionary(id) => KeyKind::Dictionary(id),
            Value::Procedure(procedure) => KeyKind::Procedure(procedure),
            Value::Operator(operator) => KeyKind::Operator(operator),
        })
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key.0 {
            KeyKind::Number(bits) => Value::Number(f64::from_bits(bits)),
            KeyKind::Boolean(value) => Value::Boolean(value),
            KeyKind::String(id) => Value::String(id),
            KeyKind::Dictionary(id) => Value::Dictionary(id),
            KeyKind::Procedure(procedure) => Value::Procedure(procedure),
            KeyKind::Operator(operator) => Value::Operator(operator),
        }
    }
}

/// Hashes keys: fast, and not safe against keys chosen to collide, which only a program itself could choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyHasher(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(MULTIPLIER);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        // Whole numbers differ only in the upper half of their bits: both halves must reach both ends.
        let folded = u128::from(self.0) * u128::from(MULTIPLIER);
        (folded as u64) ^ (folded >> 64) as u64
    }
}

/// A dictionary up to this size is searched from end to end, which is faster than hashing.
const SMALL: usize = 8;

/// Values under keys.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    entries: Vec<(Key, Value)>,
    /// Where each key stands, once there are more than [`SMALL`].
    index: Option<Box<Index>>,
}

type Index = HashMap<Key, u32, BuildHasherDefault<KeyHasher>>;

impl Dictionary {
    /// The value under a key.
    pub fn get(&self, key: Key) -> Option<Value> {
        self.position(key).map(|at| self.entries[at].1)
    }

    /// The entries, in the order in which their keys were first stored.
    pub fn entries(&self) -> &[(Key, Value)] {
        &self.entries
    }

    /// Stores a value under a key; tells whether the key is new.
    pub(super) fn insert(&mut self, key: Key, value: Value) -> bool {
        if let Some(at) = self.position(key) {
            self.entries[at].1 = value;
            return false;
        }
        self.entries.push((key, value));
        self.note_last(key);
        true
    }

    fn position(&self, key: Key) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&key).map(|at| *at as usize),
            None => self.entries.iter().position(|entry| entry.0 == key),
        }
    }

    /// Enters the last entry in the index, if there is one or now must be.
    fn note_last(&mut self, key: Key) {
        let last = self.entries.len() as u32 - 1;
        if let Some(index) = &mut self.index {
            index.insert(key, last);
        } else if self.entries.len() > SMALL {
            let keys = self.entries.iter().zip(0..);
            self.index = Some(Box::new(keys.map(|(entry, at)| (entry.0, at)).collect()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-20i32..20).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
            Just(Value::Number(-0.0)),
            any::<bool>().prop_map(Value::Boolean),
            (0u32..20).prop_map(|id| Value::String(NameId::from_operand(id))),
            (0u32..3, 0u32..3).prop_map(|(symbol, block)| Value::Procedure(Procedure { symbol, block })),
            prop_oneof![Just(Builtin::Add), Just(Builtin::Sub)].prop_map(Value::Operator),
        ]
    }

    proptest! {
        #[test]
        fn keys_are_equal_when_values_are(a in values(), b in values()) {
            prop_assert_eq!(Key::from(a) == Key::from(b), a == b);
            prop_assert_eq!(Value::from(Key::from(a)), a);
        }

        #[test]
        fn a_dictionary_has_what_was_stored_last(stored in proptest::collection::vec((values(), values()), 0..60)) {
            let mut dictionary = Dictionary::default();
            let mut model: Vec<(Value, Value)> = Vec::new();
            for (key, value) in stored {
                let old = model.iter_mut().find(|entry| entry.0 == key);
                prop_assert_eq!(dictionary.insert(key.into(), value), old.is_none());
                match old {
                    Some(entry) => entry.1 = value,
                    None => model.push((key, value)),
                }
            }
            prop_assert_eq!(dictionary.entries().len(), model.len());
            for (at, (key, value)) in model.into_iter().enumerate() {
                prop_assert_eq!(dictionary.get(key.into()), Some(value));
                prop_assert_eq!(dictionary.entries()[at].0, key.into());
            }
        }
    }

    #[test]
    fn whole_numbers_spread_over_the_hash() {
        use std::hash::BuildHasher;
        let hasher = BuildHasherDefault::<KeyHasher>::default();
        let hashes = (0..4096).map(|n| hasher.hash_one(Key::from(Value::Number(f64::from(n)))));
        let (mut low, mut high) = ([0; 64], [0; 64]);
        for hash in hashes {
            low[(hash & 63) as usize] += 1;
            high[(hash >> 58) as usize] += 1;
        }
        assert!(low.iter().chain(&high).all(|count| (16..160).contains(count)));
    }
}
