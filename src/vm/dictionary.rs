//! Dictionaries: values under keys.
//!
//! Entries stand in the order in which their keys were first stored, except that the last takes the place of one
//! that is removed. Deliberately absent: access rules (systemdict is read-only because the operators refuse to
//! write to it).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::names::NameId;
use super::value::{Packed, Value};

/// A value as a key: equal keys are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(Packed);

impl Key {
    /// The key of a value that is its own key: every one but null, mark, and the strings that are not texts.
    #[inline]
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            // Adding 0.0 changes nothing but -0.0.
            Value::Number(number) => Some(Self(Packed::number(number + 0.0))),
            Value::Null | Value::Mark | Value::String(_) => None,
            _ => Some(Self(value.into())),
        }
    }

    /// The key of a name.
    #[inline]
    pub(super) const fn name(name: NameId) -> Self {
        Self(Packed::text(name))
    }

    /// The name whose key this is.
    #[inline]
    pub(super) fn as_name(self) -> Option<NameId> {
        if let Value::Text(name) = self.0.unpack() { Some(name) } else { None }
    }

    /// The value whose key this is.
    pub(super) const fn packed(self) -> Packed {
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

/// A dictionary up to this size is searched from end to end, which is faster than hashing.
const SMALL: usize = 8;

/// Values under keys.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    entries: Vec<(Key, Packed)>,
    /// How keys are found.
    index: Index,
    /// Whether it was ever on the dictionary stack, so that its keys are names' meanings.
    pub(super) is_begun: bool,
}

/// How the place of a key is found.
#[derive(Debug, Clone, Default)]
enum Index {
    /// There are few entries.
    #[default]
    Walk,
    /// The keys are whole numbers, each one more than that before it, beginning with this one.
    Run(f64),
    /// Where each key stands.
    Hashed(Box<Places>),
}

type Places = HashMap<Key, u32, BuildHasherDefault<KeyHasher>>;

impl Dictionary {
    /// The value under a key.
    #[inline]
    pub fn get(&self, key: Key) -> Option<Packed> {
        self.position(key).map(|at| self.entries[at].1)
    }

    /// The value under a key, to be replaced.
    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Packed> {
        self.position(key).map(|at| &mut self.entries[at].1)
    }

    /// The entries.
    pub fn entries(&self) -> &[(Key, Packed)] {
        &self.entries
    }

    /// The value that stands at a place, if it is the key's.
    #[inline]
    pub(super) fn at(&self, place: u32, key: Key) -> Option<Packed> {
        self.entries.get(place as usize).filter(|entry| entry.0 == key).map(|entry| entry.1)
    }

    /// Replaces the value that stands at a place, if it is the key's. Tells whether it is.
    #[inline]
    pub(super) fn replace_at(&mut self, place: u32, key: Key, value: Packed) -> bool {
        let entry = self.entries.get_mut(place as usize).filter(|entry| entry.0 == key);
        entry.map(|entry| entry.1 = value).is_some()
    }

    /// Where a key stands.
    #[inline]
    pub(super) fn position(&self, key: Key) -> Option<usize> {
        match &self.index {
            Index::Walk => self.entries.iter().position(|entry| entry.0 == key),
            Index::Run(first) => {
                // A number that is too small or no whole one finds another key, or none.
                let at = (key.0.as_number()? - first) as usize;
                self.entries.get(at).is_some_and(|entry| entry.0 == key).then_some(at)
            }
            Index::Hashed(places) => places.get(&key).map(|at| *at as usize),
        }
    }

    /// Stores a value under a key. Gives its place, and whether the key is new.
    pub(super) fn insert(&mut self, key: Key, value: Packed) -> (u32, bool) {
        if let Some(at) = self.position(key) {
            self.entries[at].1 = value;
            return (at as u32, false);
        }
        (self.push(key, value), true)
    }

    /// Adds a key that is not there yet. Gives its place.
    #[inline]
    fn push(&mut self, key: Key, value: Packed) -> u32 {
        self.entries.push((key, value));
        let last = self.entries.len() as u32 - 1;
        // One that was large once keeps its index when it gets small.
        if last as usize >= SMALL || !matches!(self.index, Index::Walk) {
            self.note(key, last);
        }
        last
    }

    /// Removes a key. Tells whether it was there.
    pub(super) fn remove(&mut self, key: Key) -> bool {
        let Some(at) = self.position(key) else { return false };
        self.entries.swap_remove(at);
        match &mut self.index {
            Index::Walk => {}
            Index::Run(_) => self.index_all(),
            Index::Hashed(places) => {
                places.remove(&key);
                if let Some((moved, _)) = self.entries.get(at) {
                    places.insert(*moved, at as u32);
                }
            }
        }
        true
    }

    /// Removes everything, but keeps the room for entries when it is little.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(SMALL);
        self.index = Index::Walk;
        self.is_begun = false;
    }

    /// Enters a new key, which stands last, in the index.
    fn note(&mut self, key: Key, last: u32) {
        match &mut self.index {
            Index::Walk => match self.first_of_run() {
                Some(first) => self.index = Index::Run(first),
                None => self.index_all(),
            },
            Index::Run(first) => {
                if key.0.as_number() != Some(*first + f64::from(last)) {
                    self.index_all();
                }
            }
            Index::Hashed(places) => _ = places.insert(key, last),
        }
    }

    /// The first key, if the keys are a run of whole numbers.
    fn first_of_run(&self) -> Option<f64> {
        let first = self.entries.first()?.0.0.as_number().filter(|first| first.fract() == 0.0)?;
        let fits = |(at, entry): (u32, &(Key, Packed))| entry.0.0.as_number() == Some(first + f64::from(at));
        (0..).zip(&self.entries).all(fits).then_some(first)
    }

    #[cold]
    fn index_all(&mut self) {
        let keys = self.entries.iter().zip(0..);
        self.index = Index::Hashed(Box::new(keys.map(|(entry, at)| (entry.0, at)).collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::builtin::Builtin;
    use crate::vm::value::Procedure;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            6 => (-20i32..20).prop_map(|n| Value::Number(f64::from(n) / 2.0)),
            1 => Just(Value::Number(-0.0)),
            1 => any::<bool>().prop_map(Value::Boolean),
            4 => (0u32..20).prop_map(|id| Value::Text(NameId::from_operand(id))),
            1 => (0u32..3).prop_map(|id| Value::Procedure(Procedure(id))),
            1 => prop_oneof![Just(Builtin::Add), Just(Builtin::Sub)].prop_map(Value::Operator),
        ]
    }

    fn key(value: Value) -> Key {
        Key::of(value).unwrap()
    }

    #[derive(Debug, Clone)]
    enum Act {
        Insert(Value, Value),
        Remove(Value),
        Clear,
    }

    /// Some of it at random; and runs of whole numbers, of which there are many in programs.
    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            8 => (values(), values()).prop_map(|(key, value)| Act::Insert(key, value)),
            3 => values().prop_map(Act::Remove),
            1 => Just(Act::Clear),
        ];
        let run = (-3i32..3, 0i32..20).prop_map(|(first, length)| {
            let number = |n| Value::Number(f64::from(n));
            (first..first + length).map(|n| Act::Insert(number(n), number(-n))).collect::<Vec<_>>()
        });
        let part = prop_oneof![run, proptest::collection::vec(act, 0..30)];
        proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn keys_are_equal_when_values_are(a in values(), b in values()) {
            prop_assert_eq!(key(a) == key(b), a == b);
            prop_assert_eq!(Value::from(key(a)), a);
        }

        #[test]
        fn a_dictionary_has_what_was_stored_last(acts in acts()) {
            let mut dictionary = Dictionary::default();
            let mut model: Vec<(Value, Value)> = Vec::new();
            for act in acts {
                match act {
                    Act::Insert(new, value) => {
                        let old = model.iter_mut().find(|entry| entry.0 == new);
                        let (place, is_new) = dictionary.insert(key(new), value.into());
                        prop_assert_eq!(is_new, old.is_none());
                        prop_assert_eq!(dictionary.at(place, key(new)), Some(value.into()));
                        match old {
                            Some(entry) => entry.1 = value,
                            None => model.push((new, value)),
                        }
                    }
                    Act::Remove(old) => {
                        let at = model.iter().position(|entry| entry.0 == old);
                        prop_assert_eq!(dictionary.remove(key(old)), at.is_some());
                        at.map(|at| model.swap_remove(at));
                    }
                    Act::Clear => {
                        dictionary.clear();
                        model.clear();
                    }
                }
                prop_assert_eq!(dictionary.entries().len(), model.len());
                for (at, (stored, value)) in model.iter().enumerate() {
                    prop_assert_eq!(dictionary.get(key(*stored)), Some((*value).into()));
                    prop_assert_eq!(dictionary.entries()[at].0, key(*stored));
                }
                prop_assert_eq!(dictionary.get(key(Value::Number(0.25))), None);
            }
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
