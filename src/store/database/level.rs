//! Where changes of a table go: what stands somewhere changes there; what is new in a large table goes to the young
//! one beside it, and into the table itself when that was worth an ordered pass.
//!
//! So a change costs what it is large, not what the table is large: new digests are spread over all of its buckets.
//! Deliberately absent: reading both; a reader asks one after the other.

use std::collections::BTreeMap;

use super::bucket::{self, Table};
use super::connection::Connection;
use crate::digest::Digest;
use crate::store::error::StoreError;
use crate::store::places::{Member, Slot};

/// What a table is to have under a digest.
pub(super) trait Change: Copy {
    /// The digest.
    fn digest(&self) -> &Digest;

    /// What is to be there; `None` removes.
    fn slot(&self) -> Option<Slot>;
}

impl Change for (Digest, Option<Slot>) {
    fn digest(&self) -> &Digest {
        &self.0
    }

    fn slot(&self) -> Option<Slot> {
        self.1
    }
}

/// A fragment that is to be there.
impl Change for Member {
    fn digest(&self) -> &Digest {
        self.digest.digest()
    }

    fn slot(&self) -> Option<Slot> {
        Some(self.slot)
    }
}

/// A table with fewer buckets takes what is new itself.
const LARGE: u128 = 64;

/// The young table is as large as one part of so many of the other at most.
const PARTS: u128 = 4;

/// So many changes, about, fill a bucket.
const FILL: u128 = 64;

/// So many entries go from the young table to the other together.
const TOGETHER: usize = 1 << 16;

/// How many bytes of rows of the heap nothing refers to any more, by row.
pub(super) type Freed = BTreeMap<u32, u64>;

/// Puts changes, in ascending order, into a table of a database. What nothing refers to any more is noted in `freed`.
pub(super) fn apply(
    connection: &Connection,
    table: Table,
    changes: &[impl Change],
    freed: &mut Freed,
) -> Result<(), StoreError> {
    let additions = changes.iter().filter(|change| change.slot().is_some()).count();
    let Some(target) = level_for(connection, table, additions)? else {
        return sort_in(connection, table, changes, freed);
    };
    for level in connection.levels(table).filter(|level| *level != target) {
        let mut slots = vec![None; changes.len()];
        connection.find(level, slots.iter_mut().zip(changes.iter().map(Change::digest)))?;
        let pick = |is_there| {
            let picked = changes.iter().zip(&slots).filter(move |(_, slot)| slot.is_some() == is_there);
            picked.map(|(change, _)| *change).collect::<Vec<_>>()
        };
        sort_in(connection, level, &pick(true), freed)?;
        sort_in(connection, target, &pick(false), freed)?;
    }
    Ok(())
}

/// Puts entries, in ascending order, into a table in which none of their digests stands, nor in the young one beside it.
pub(super) fn add(connection: &Connection, table: Table, new: &[impl Change]) -> Result<(), StoreError> {
    let target = level_for(connection, table, new.len())?.unwrap_or(table);
    sort_in(connection, target, new, &mut Freed::new())
}

/// Which level takes so many new entries; `None` when there is only one.
fn level_for(connection: &Connection, table: Table, count: usize) -> Result<Option<Table>, StoreError> {
    let Some(young) = table.young() else { return Ok(None) };
    let weight = weight(connection, table)?;
    let is_young = count > 0 && weight >= LARGE && count as u128 * PARTS < weight * FILL;
    if is_young {
        connection.make_young()?;
    }
    Ok(connection.has_young().then_some(if is_young { young } else { table }))
}

/// Moves everything from the young table to the other when it has become large. Says whether it did.
pub(super) fn grow_up(connection: &Connection, table: Table) -> Result<bool, StoreError> {
    let Some(young) = connection.levels(table).find(|level| *level != table) else { return Ok(false) };
    if weight(connection, young)? * PARTS < weight(connection, table)?.max(LARGE) {
        return Ok(false);
    }
    let mut members = connection.level(young);
    loop {
        let some = members.by_ref().take(TOGETHER);
        let some = some.map(|member| member.map(|(digest, slot)| (digest, Some(slot))));
        let some = some.collect::<Result<Vec<_>, _>>()?;
        if some.is_empty() {
            return connection.clear_table(young).map(|()| true);
        }
        // No digest stands in both: whoever forged one that does loses what is older.
        sort_in(connection, table, &some, &mut Freed::new())?;
    }
}

/// About how many buckets a table has: digests are spread evenly, so that the ranges of a few tell it.
fn weight(connection: &Connection, table: Table) -> Result<u128, StoreError> {
    let mut covered = 0;
    for at in 0..PROBES {
        let width = |first, bucket: bucket::Bucket<'_>| u128::from(bucket.last - first) + 1;
        covered += connection.with_bucket(table, at << (64 - PROBES.trailing_zeros()), width)?;
    }
    Ok((u128::from(PROBES) << 64) / covered.max(1))
}

/// So many buckets are looked at to tell how many there are; a power of two.
const PROBES: u64 = 8;

/// Puts changes, in ascending order, into the buckets of one table.
pub(super) fn sort_in(
    connection: &Connection,
    table: Table,
    changes: &[impl Change],
    freed: &mut Freed,
) -> Result<(), StoreError> {
    let mut rest = changes;
    while let Some(change) = rest.first() {
        let (first, old, last) = connection.entries_around(table, change.digest().prefix())?;
        let (here, behind) = rest.split_at(rest.partition_point(|change| change.digest().prefix() <= last));
        rest = behind;
        let entries = join(old, here, freed);
        write(connection, table, first, last, &entries)?;
    }
    Ok(())
}

/// The entries of a bucket after changes.
fn join(old: Vec<(Digest, Slot)>, changes: &[impl Change], freed: &mut Freed) -> Vec<(Digest, Slot)> {
    let mut entries = Vec::with_capacity(old.len() + changes.len());
    let mut old = old.into_iter().peekable();
    for change in changes {
        let digest = change.digest();
        entries.extend(std::iter::from_fn(|| old.next_if(|(there, _)| there < digest)));
        if let Some((_, Slot::Stored(location))) = old.next_if(|(there, _)| there == digest) {
            *freed.entry(location.row).or_default() += u64::from(location.length);
        }
        entries.extend(change.slot().map(|slot| (*digest, slot)));
    }
    entries.extend(old);
    entries
}

/// Writes the buckets of a range.
pub(super) fn write(
    connection: &Connection,
    table: Table,
    first: u64,
    last: u64,
    entries: &[(Digest, Slot)],
) -> Result<(), StoreError> {
    let pieces = bucket::split(first, entries);
    let ends = pieces.iter().skip(1).map(|(next, _)| next - 1).chain([last]);
    pieces.iter().zip(ends).try_for_each(|((first, piece), last)| {
        connection.put_bucket(table, *first, &bucket::bytes(table, *first, last, piece))
    })
}

#[cfg(test)]
mod tests;
