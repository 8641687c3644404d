//! Where each key of a large dictionary stands.
//!
//! Whole numbers that are not much greater than the number of keys find their places in a table, as indices of an
//! array would: no key is hashed, and one that is absent is known by four bytes. All other keys are hashed.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::key::{Key, KeyHasher};

/// The places of keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The places of the whole numbers from 0 on, as many as there are; [`NOWHERE`] of one that is no key.
    near: Vec<u32>,
    /// The places of all other keys.
    far: HashMap<Key, u32, BuildHasherDefault<KeyHasher>>,
    /// How many keys there are.
    keys: usize,
}

/// What stands in the table where no key is.
pub(in crate::vm) const NOWHERE: u32 = u32::MAX;

/// The table has at most so many rows a key, before it is rounded up to a power of two, and this many besides.
const SPARSE: usize = 4;
const SPARE: usize = 64;

/// The row of a key in a table that is long enough.
#[inline]
fn row(key: Key) -> Option<usize> {
    let number = key.packed().as_number()?;
    // The processor has no conversion to greater numbers without a sign.
    let row = number as u32;
    (f64::from(row) == number).then_some(row as usize)
}

impl Places {
    /// The place of a key.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<u32> {
        match row(key).and_then(|row| self.near.get(row)) {
            Some(place) => Some(*place).filter(|place| *place != NOWHERE),
            None => self.far.get(&key).copied(),
        }
    }

    /// The table of the places of whole numbers.
    pub(super) fn near(&self) -> &[u32] {
        &self.near
    }

    /// Notes the place of a key.
    pub(super) fn insert(&mut self, key: Key, place: u32) {
        let row = row(key).filter(|row| *row < self.near.len() || self.grow(*row));
        let old = match row {
            Some(row) => Some(std::mem::replace(&mut self.near[row], place)).filter(|old| *old != NOWHERE),
            None => self.far.insert(key, place),
        };
        self.keys += usize::from(old.is_none());
    }

    /// Forgets a key.
    pub(super) fn remove(&mut self, key: Key) {
        let old = match row(key).and_then(|row| self.near.get_mut(row)) {
            Some(place) => Some(std::mem::replace(place, NOWHERE)).filter(|old| *old != NOWHERE),
            None => self.far.remove(&key),
        };
        self.keys -= usize::from(old.is_some());
    }

    /// Makes the table long enough for a row, if that is worth while. Tells whether it is.
    #[cold]
    fn grow(&mut self, row: usize) -> bool {
        let is_worth = row < SPARSE * self.keys + SPARE;
        if is_worth {
            self.near.resize((row + 1).next_power_of_two(), NOWHERE);
            let near = &mut self.near;
            self.far.retain(|key, place| match self::row(*key).and_then(|row| near.get_mut(row)) {
                Some(there) => {
                    *there = *place;
                    false
                }
                None => true,
            });
        }
        is_worth
    }
}

impl FromIterator<(Key, u32)> for Places {
    fn from_iter<T: IntoIterator<Item = (Key, u32)>>(places: T) -> Self {
        let mut all = Self::default();
        places.into_iter().for_each(|(key, place)| all.insert(key, place));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::key::tests::key;
    use super::*;
    use crate::vm::value::Value;

    proptest! {
        #[test]
        fn a_key_stands_where_it_was_put_last(
            acts in proptest::collection::vec((-3i32..3000, 0u32..9, any::<bool>()), 0..400),
            spread in 1i32..5,
        ) {
            let (mut places, mut model) = (Places::default(), BTreeMap::new());
            for (number, place, is_put) in acts {
                // Also numbers that are not whole.
                let half = number * spread;
                let of = |half: i32| key(Value::Number(f64::from(half) / 2.0));
                if is_put {
                    places.insert(of(half), place);
                    model.insert(half, place);
                } else {
                    places.remove(of(half));
                    model.remove(&half);
                }
                prop_assert_eq!(places.keys, model.len());
                for other in [half, half + 1, half + 2] {
                    prop_assert_eq!(places.get(of(other)), model.get(&other).copied());
                }
            }
            for (half, place) in &model {
                prop_assert_eq!(places.get(key(Value::Number(f64::from(*half) / 2.0))), Some(*place));
            }
        }
    }

    #[test]
    fn numbers_in_ascending_order_need_no_hash() {
        let keys = (2..5000).map(|number| (key(Value::Number(f64::from(2 * number))), number));
        let places = keys.collect::<Places>();
        assert!(places.far.is_empty());
        assert!(places.near.len() <= 4 * 5000);
        assert_eq!(places.get(key(Value::Number(8.0))), Some(4));
        assert_eq!(places.get(key(Value::Number(9.0))), None);
    }
}
