//! Buckets: the rows of a table of digests. Each holds all digests of a range, in ascending order, and says so.
//!
//! A bucket carries the end of its range and a checksum over itself, its beginning and its table, and the ranges of a
//! table leave no gap. So a reader who finds a bucket knows that nothing of its range was lost or came from elsewhere.
//! Deliberately absent: the database; what is here is bytes.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::digest::{Checksum, Digest};
use crate::store::places::{Location, Slot};

/// The tables of digests. A digest stands in its table or in the young one beside it, never in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Fragments, known or with a body.
    Fragments,
    /// Compilations.
    Compilations,
    /// Link records.
    Links,
    /// Fragments that came to a large table lately.
    YoungFragments,
    /// Compilations that came to a large table lately.
    YoungCompilations,
}

impl Table {
    /// The tables that every database has, in the order in which they may refer to each other.
    pub const OLD: [Self; 3] = [Self::Fragments, Self::Compilations, Self::Links];

    /// The table beside this one that takes what is new, if it may have one.
    pub const fn young(self) -> Option<Self> {
        match self {
            Self::Fragments => Some(Self::YoungFragments),
            Self::Compilations => Some(Self::YoungCompilations),
            Self::Links | Self::YoungFragments | Self::YoungCompilations => None,
        }
    }
}

/// A bucket takes so many bytes at most, unless its digests cannot be told apart by their first eight bytes:
/// what fits on a page of the database (4,096 bytes) with the page's and the row's own headers.
pub const CAPACITY: usize = 4056;

/// Checksum, last prefix of the range, number of known digests.
const HEADER: usize = 8 + 8 + 4;
const KNOWN: usize = 32;
const STORED: usize = KNOWN + 16 + 3 * 4;

/// A bucket whose checksum is right.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'b> {
    /// The greatest prefix of its range.
    pub last: u64,
    known: &'b [[u8; KNOWN]],
    stored: &'b [[u8; STORED]],
}

/// Why bytes are no bucket.
pub type Odd = &'static str;

impl<'b> Bucket<'b> {
    /// Takes the bytes of the bucket whose range in `table` starts with the prefix `first`.
    pub fn parse(table: Table, first: u64, bytes: &'b [u8]) -> Result<Self, Odd> {
        let cut = "a bucket is shorter than its header";
        let (checksum, rest) = bytes.split_first_chunk().ok_or(cut)?;
        if u64::from_le_bytes(*checksum) != check(table, first, rest) {
            return Err("the checksum of a bucket does not fit");
        }
        let (last, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (known, rest) = rest.split_first_chunk().ok_or(cut)?;
        let known = (u32::from_le_bytes(*known) as usize).saturating_mul(KNOWN);
        let (known, stored) = rest.split_at_checked(known).ok_or("a bucket counts more than it holds")?;
        let (known, _) = known.as_chunks();
        let (stored, []) = stored.as_chunks() else { return Err("a bucket ends inside an entry") };
        let bucket = Self { last: u64::from_be_bytes(*last), known, stored };
        if bucket.is_ordered(first) { Ok(bucket) } else { Err("a bucket is not in order") }
    }

    /// Only the ends are held against the range: the checksum vouches for the rest.
    fn is_ordered(&self, first: u64) -> bool {
        let known = self.known.first().into_iter().chain(self.known.last()).copied();
        let stored = self.stored.first().into_iter().chain(self.stored.last()).map(digest_of);
        let range = first..=self.last;
        first <= self.last
            && known.chain(stored).all(|bytes| range.contains(&Digest::from_bytes(bytes).prefix()))
    }

    /// What the bucket has for a digest.
    pub fn find(&self, digest: &Digest) -> Option<Slot> {
        self.finder().find(digest)
    }

    /// Finds many digests, ascending ones fastest.
    pub const fn finder(self) -> Finder<'b> {
        Finder { bucket: self, known: 0, stored: 0 }
    }

    /// All entries, by digest in ascending order.
    pub fn entries(&self) -> Vec<(Digest, Slot)> {
        let known = self.known.iter().map(|bytes| (Digest::from_bytes(*bytes), Slot::Known));
        let stored = self
            .stored
            .iter()
            .map(|entry| (Digest::from_bytes(digest_of(entry)), Slot::Stored(location(entry))));
        if self.known.is_empty() {
            return stored.collect();
        }
        let mut entries = Vec::with_capacity(known.len() + stored.len());
        let (mut known, mut stored) = (known.peekable(), stored.peekable());
        entries.extend(std::iter::from_fn(|| match (known.peek(), stored.peek()) {
            (Some((a, _)), Some((b, _))) if a < b => known.next(),
            (_, Some(_)) => stored.next(),
            (_, None) => known.next(),
        }));
        entries
    }
}

/// A search that goes on where the last one ended.
#[derive(Debug)]
pub struct Finder<'b> {
    bucket: Bucket<'b>,
    known: usize,
    stored: usize,
}

impl Finder<'_> {
    /// What the bucket has for a digest.
    pub fn find(&mut self, digest: &Digest) -> Option<Slot> {
        let Bucket { known, stored, .. } = self.bucket;
        if let Some(entry) = seek(stored, &mut self.stored, digest) {
            return Some(Slot::Stored(location(entry)));
        }
        seek(known, &mut self.known, digest).map(|_| Slot::Known)
    }
}

/// Finds the entry that starts with a digest among ascending ones. `at` is where the last search ended, and this one does.
fn seek<'b, const N: usize>(entries: &'b [[u8; N]], at: &mut usize, digest: &Digest) -> Option<&'b [u8; N]> {
    let is_less = |entry: &[u8; N]| {
        let first = entry.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        first < digest.prefix() || first == digest.prefix() && entry[..KNOWN] < digest.as_bytes()[..]
    };
    let mut low = if *at > 0 && !is_less(&entries[*at - 1]) { 0 } else { *at };
    let mut step = 1;
    while entries.get(low + step - 1).is_some_and(is_less) {
        low += step;
        step *= 2;
    }
    let rest = &entries[low..entries.len().min(low + step)];
    *at = low + rest.partition_point(is_less);
    entries.get(*at).filter(|entry| entry[..KNOWN] == digest.as_bytes()[..])
}

fn digest_of(entry: &[u8; STORED]) -> [u8; KNOWN] {
    let mut digest = [0; KNOWN];
    digest.copy_from_slice(&entry[..KNOWN]);
    digest
}

fn location(entry: &[u8; STORED]) -> Location {
    let (mut checksum, mut numbers) = ([0; 16], [0; 3]);
    checksum.copy_from_slice(&entry[KNOWN..KNOWN + 16]);
    let (words, _) = entry[KNOWN + 16..].as_chunks();
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u32::from_le_bytes(*word);
    }
    let [row, offset, length] = numbers;
    Location { checksum: Checksum::from_bytes(checksum), row, offset, length }
}

fn check(table: Table, first: u64, rest: &[u8]) -> u64 {
    xxh3_64_with_seed(rest, first ^ (table as u64 + 1).rotate_right(8))
}

/// So many buckets are not made of a few entries too many.
const MANY: usize = 8;

/// The number of bytes that an entry takes in a bucket.
pub const fn size(slot: &Slot) -> usize {
    match slot {
        Slot::Known => KNOWN,
        Slot::Stored(_) => STORED,
    }
}

/// The bytes of the bucket for the range from `first` to `last` with these entries, which are in ascending order.
pub fn bytes(table: Table, first: u64, last: u64, entries: &[(Digest, Slot)]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes.extend_from_slice(&last.to_be_bytes());
    let known = entries.iter().filter(|(_, slot)| *slot == Slot::Known);
    bytes.extend_from_slice(&(known.clone().count() as u32).to_le_bytes());
    known.for_each(|(digest, _)| bytes.extend_from_slice(digest.as_bytes()));
    for (digest, slot) in entries {
        if let Slot::Stored(location) = slot {
            bytes.extend_from_slice(digest.as_bytes());
            bytes.extend_from_slice(location.checksum.as_bytes());
            for number in [location.row, location.offset, location.length] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
    }
    let checksum = check(table, first, &bytes[8..]);
    bytes[..8].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Splits what does not fit into one bucket. Each piece comes with the first prefix of its range; the first piece
/// starts where the whole did.
///
/// What makes a few buckets makes them equally full, with room for more; much is a load in ascending order and fills its
/// buckets.
pub fn split(first: u64, entries: &[(Digest, Slot)]) -> Vec<(u64, &[(Digest, Slot)])> {
    let total = entries.iter().map(|(_, slot)| size(slot)).sum::<usize>();
    if HEADER + total <= CAPACITY {
        return vec![(first, entries)];
    }
    // An equal share does not end where an entry ends: each piece may have one more.
    let pieces = total.div_ceil(CAPACITY - HEADER - STORED);
    let limit = if pieces < MANY { HEADER + total.div_ceil(pieces) + STORED - 1 } else { CAPACITY };
    let mut pieces = Vec::new();
    let (mut start, mut from, mut at, mut taken) = (first, 0, 0, HEADER);
    // Digests with the same prefix stay together: a bucket is found by it.
    for group in entries.chunk_by(|(a, _), (b, _)| a.prefix() == b.prefix()) {
        let bytes = group.iter().map(|(_, slot)| size(slot)).sum::<usize>();
        if taken + bytes > limit && at > from {
            pieces.push((start, &entries[from..at]));
            (start, from, taken) = (group[0].0.prefix(), at, HEADER);
        }
        taken += bytes;
        at += group.len();
    }
    pieces.push((start, &entries[from..]));
    pieces
}

#[cfg(test)]
mod tests;
