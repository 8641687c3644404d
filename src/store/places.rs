//! Where fragments lie, for who reads them later than he finds them.
//!
//! Deliberately absent: what can be done with a place. Only the store that found one can use it.

use std::ops::Range;

use super::backend::State;
use crate::digest::{Checksum, FragmentDigest};

/// Where the bytes of something are, and what they must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The checksum of the bytes.
    pub checksum: Checksum,
    /// The row of the heap that they are in.
    pub row: u32,
    /// Their first byte in the row.
    pub offset: u32,
    /// Their number.
    pub length: u32,
}

impl Location {
    /// Where the bytes are in their row.
    pub const fn range(&self) -> Range<usize> {
        let start = self.offset as usize;
        start..start.saturating_add(self.length as usize)
    }
}

/// What a store has for a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Nothing but the digest.
    Known,
    /// Bytes.
    Stored(Location),
}

impl Slot {
    /// What is left of a slot for those who do not want the bytes.
    pub const fn state(&self) -> State {
        match self {
            Self::Known => State::Known,
            Self::Stored(location) => State::Present(location.checksum),
        }
    }
}

/// A fragment of a store: its digest, what there is under it, and where. It is worth its place as long as the view that it
/// is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The digest.
    pub digest: FragmentDigest,
    pub(super) slot: Slot,
}

impl Member {
    /// A member of a store that finds by digests.
    pub(super) const fn new(digest: FragmentDigest, state: State) -> Self {
        let slot = match state {
            State::Known => Slot::Known,
            State::Present(checksum) => Slot::Stored(Location { checksum, row: 0, offset: 0, length: 0 }),
        };
        Self { digest, slot }
    }

    /// What there is under the digest.
    pub const fn state(&self) -> State {
        self.slot.state()
    }
}

/// What was found so far of many digests, by index.
#[derive(Debug, Default)]
pub struct Places(Vec<Option<Option<Slot>>>);

/// Who wants one digest in so many is going to want most: then all between them are looked for at once.
const MANY: usize = 64;

impl Places {
    /// Looks for what is wanted, in ascending order, and not found yet, with one question in the order of the digests.
    pub(super) fn find<D: Copy, E>(
        &mut self,
        all: &[D],
        wanted: &[usize],
        find: impl FnOnce(&[D]) -> Result<Vec<Option<Slot>>, E>,
    ) -> Result<(), E> {
        self.0.resize(all.len(), None);
        let is_unknown = |at: &usize| self.0[*at].is_none();
        let mut unknown = wanted.iter().copied().filter(is_unknown).collect::<Vec<_>>();
        let between = wanted.first().copied().unwrap_or_default()..wanted.last().map_or(0, |last| last + 1);
        if unknown.len() * MANY >= between.len() {
            unknown = between.filter(is_unknown).collect();
        }
        let digests = unknown.iter().map(|at| all[*at]).collect::<Vec<_>>();
        for (at, slot) in unknown.into_iter().zip(find(&digests)?) {
            self.0[at] = Some(slot);
        }
        Ok(())
    }

    /// What was found at an index, if anything.
    pub(super) fn get(&self, at: usize) -> Option<Slot> {
        self.0.get(at).copied().flatten().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_looked_for_twice() {
        let all = (0..1000).collect::<Vec<u32>>();
        let mut places = Places::default();
        let mut asked = Vec::new();
        for wanted in [vec![3, 500], vec![500, 800], (10..14).collect(), vec![4, 300, 990]] {
            let find = |digests: &[u32]| {
                asked.push(digests.to_vec());
                Ok::<_, ()>(digests.iter().map(|digest| (digest % 2 == 0).then_some(Slot::Known)).collect())
            };
            places.find(&all, &wanted, find).unwrap();
            for at in wanted {
                assert_eq!(places.get(at).is_some(), at % 2 == 0);
            }
        }
        assert_eq!(asked, [vec![3, 500], vec![800], vec![10, 11, 12, 13], vec![4, 300, 990]]);
        // Where many are wanted, those between are looked for with them.
        places.find(&all, &[20, 24, 29, 50, 52], |digests| Ok::<_, ()>(vec![None; digests.len()])).unwrap();
        assert!((20..53).all(|at| places.0[at].is_some()) && places.0[53].is_none());
    }
}
