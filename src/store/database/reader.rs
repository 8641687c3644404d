//! Reading a database inside a transaction: digests to buckets, buckets to bytes in the heap.

use std::iter::Peekable;
use std::sync::Arc;
use std::vec;

use rayon::prelude::*;

use super::bucket::{Bucket, Location, Odd, Slot, Table, prefix};
use super::connection::{Connection, key, prefix_of};
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::{Compilation, id_of};
use crate::object::fragment::Body;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Entries, State};
use crate::store::error::StoreError;
use crate::store::repository::Entry;
use crate::store::wire::record;

impl Connection {
    /// Reads the bucket whose range has a prefix.
    pub(super) fn with_bucket<T>(
        &self,
        table: Table,
        at: u64,
        read: impl FnOnce(u64, Bucket<'_>) -> T,
    ) -> Result<T, StoreError> {
        let found = self.run(|sql| {
            let mut statement = sql.prepare_cached(table.seek())?;
            let mut rows = statement.query([key(at)])?;
            let Some(row) = rows.next()? else { return Ok(Err("the first bucket is missing")) };
            let first = prefix_of(row.get(0)?);
            Ok(match Bucket::parse(table, first, row.get_ref(1)?.as_blob()?) {
                Ok(bucket) if bucket.last >= at => Ok(read(first, bucket)),
                Ok(_) => Err("a bucket is missing"),
                Err(reason) => Err(reason),
            })
        });
        found?.map_err(|reason| self.odd(table, reason))
    }

    /// All entries of the bucket whose range has a prefix.
    pub(super) fn entries_around(&self, table: Table, at: u64) -> Result<Around, StoreError> {
        self.with_bucket(table, at, around)?.map_err(|reason| self.odd(table, reason))
    }

    /// All entries of the first buckets that start at a prefix or behind it, up to one that is not as it should be.
    fn entries_from(&self, table: Table, at: u64) -> Result<Vec<Result<Around, Odd>>, StoreError> {
        self.run(|sql| {
            let mut statement = sql.prepare_cached(table.from())?;
            let (mut rows, mut found) = (statement.query([key(at)])?, Vec::with_capacity(TOGETHER));
            while found.len() < TOGETHER
                && found.last().is_none_or(Result::is_ok)
                && let Some(row) = rows.next()?
            {
                let first = prefix_of(row.get(0)?);
                let bucket = Bucket::parse(table, first, row.get_ref(1)?.as_blob()?);
                found.push(bucket.and_then(|bucket| around(first, bucket)));
            }
            Ok(found)
        })
    }

    /// The error for a table that is not as `toy` writes it.
    fn odd(&self, table: Table, reason: &str) -> StoreError {
        self.damaged(format!("in its {}, {reason}", table.name()))
    }

    /// What a table, or the young one beside it, has for a digest.
    pub(super) fn slot(&self, table: Table, digest: &Digest) -> Result<Option<Slot>, StoreError> {
        Ok(self.slots(table, [digest].into_iter())?.pop().flatten())
    }

    /// What a table, or the young one beside it, has for each digest.
    pub(super) fn slots<'d>(
        &self,
        table: Table,
        digests: impl ExactSizeIterator<Item = &'d Digest> + Clone,
    ) -> Result<Vec<Option<Slot>>, StoreError> {
        if digests.len() > FEW_LOOKUPS {
            self.map()?;
        }
        let mut slots = vec![None; digests.len()];
        for level in self.levels(table) {
            let unknown = slots.iter_mut().zip(digests.clone()).filter(|(slot, _)| slot.is_none());
            self.find(level, unknown)?;
        }
        Ok(slots)
    }

    /// Looks for digests in one table. A bucket that several ascending digests are in is read once, and where the next
    /// one is near, the table is read on from there.
    pub(super) fn find<'s, 'd>(
        &self,
        table: Table,
        wanted: impl Iterator<Item = (&'s mut Option<Slot>, &'d Digest)>,
    ) -> Result<(), StoreError> {
        let mut wanted = wanted.peekable();
        while let Some((_, digest)) = wanted.peek() {
            let at = prefix(digest);
            // Tells where the next bucket starts, if it is worth a look.
            let mut look = |first: u64, bucket: Bucket<'_>| {
                let (mut finder, range) = (bucket.finder(), first..=bucket.last);
                while let Some((slot, digest)) = wanted.next_if(|(_, digest)| range.contains(&prefix(digest)))
                {
                    *slot = finder.find(digest);
                }
                let (_, next) = wanted.peek()?;
                let distance = prefix(next).checked_sub(bucket.last)?;
                let is_near = distance / NEAR <= bucket.last - first;
                if is_near { bucket.last.checked_add(1) } else { None }
            };
            if let Some(next) = self.with_bucket(table, at, &mut look)? {
                self.with_buckets(table, next, look)?;
            }
        }
        Ok(())
    }

    /// Reads the bucket that starts at a prefix, and those behind it as long as `read` tells where the next one starts.
    fn with_buckets(
        &self,
        table: Table,
        start: u64,
        mut read: impl FnMut(u64, Bucket<'_>) -> Option<u64>,
    ) -> Result<(), StoreError> {
        let found = self.run(|sql| {
            let mut statement = sql.prepare_cached(table.from())?;
            let (mut rows, mut next) = (statement.query([key(start)])?, Some(start));
            while let Some(start) = next {
                let Some(row) = rows.next()? else { return Ok(Err("the last bucket is missing")) };
                if prefix_of(row.get(0)?) != start {
                    return Ok(Err("a bucket is missing"));
                }
                match Bucket::parse(table, start, row.get_ref(1)?.as_blob()?) {
                    Ok(bucket) => next = read(start, bucket),
                    Err(reason) => return Ok(Err(reason)),
                }
            }
            Ok(Ok(()))
        });
        found?.map_err(|reason| self.odd(table, reason))
    }

    /// All of a table and of the young one beside it, by digest in ascending order.
    pub(super) fn members(&self, table: Table) -> Members<'_> {
        let young = self.levels(table).find(|level| *level != table);
        Members {
            connection: self,
            young: young.map(|young| self.level(young).peekable()),
            old: self.level(table).peekable(),
        }
    }

    /// All of one table, by digest in ascending order. A range that nobody has is damage.
    pub(super) fn level(&self, table: Table) -> Level<'_> {
        let (current, ready) = (Vec::new().into_iter(), Vec::new().into_iter());
        Level { connection: self, table, from: Some(0), next: Some(0), current, ready }
    }

    /// Reads many records. Those of one row are read together; they are held against their checksums on all threads.
    /// What was asked for comes back in the order of `locations`, or the reason why it does not.
    fn records(&self, locations: &[Location]) -> Vec<Result<Body, String>> {
        let read = match self.bytes(locations) {
            Ok(read) => read,
            Err(error) => return locations.iter().map(|_| Err(error.to_string())).collect(),
        };
        let hold = |(bytes, location): (Option<Arc<[u8]>>, &Location)| {
            let bytes = bytes.ok_or(MISSING)?;
            Ok(Body::held(bytes, location.checksum).ok_or(WRONG)?)
        };
        spread(read.into_iter().zip(locations).collect(), FEW, hold)
    }

    /// The bytes at each location, whatever they are; `None` where there are none.
    pub(super) fn bytes(&self, locations: &[Location]) -> Result<Vec<Option<Arc<[u8]>>>, StoreError> {
        if locations.len() > FEW_RECORDS {
            self.map()?;
        }
        let mut order = (0..locations.len()).collect::<Vec<_>>();
        order.sort_unstable_by_key(|at| (locations[*at].row, locations[*at].offset));
        let mut read = vec![None; locations.len()];
        for wanted in order.chunk_by(|a, b| locations[*a].row == locations[*b].row) {
            let take = |row: &[u8]| {
                wanted.iter().for_each(|at| read[*at] = piece(row, &locations[*at]).map(Arc::from))
            };
            self.with_row(locations[wanted[0]].row, take)?;
        }
        Ok(read)
    }

    /// Reads one record.
    fn record(&self, location: Location) -> Result<Body, String> {
        self.records(&[location]).pop().unwrap_or_else(|| Err("it was not read".to_owned()))
    }

    /// Reads a row of the heap; one that is missing has no bytes.
    fn with_row(&self, row: u32, read: impl FnOnce(&[u8])) -> Result<(), StoreError> {
        self.run(|sql| {
            let mut statement = sql.prepare_cached("SELECT bytes FROM heap WHERE id = ?1")?;
            let mut rows = statement.query([row])?;
            if let Some(row) = rows.next()? {
                read(row.get_ref(0)?.as_blob()?);
            }
            Ok(())
        })
    }

    /// The entry that a slot stands for.
    pub(super) fn entry_at(&self, digest: &FragmentDigest, slot: Slot) -> Result<Entry, StoreError> {
        match slot {
            Slot::Known => Ok(Entry::Known),
            Slot::Stored(location) => self.record(location).map(Entry::Present).map_err(body_error(*digest)),
        }
    }

    /// The entries that slots stand for.
    pub(super) fn entries_at(&self, digests: &[FragmentDigest], slots: &[Option<Slot>]) -> Entries {
        let entry = |((digest, slot), body): ((&FragmentDigest, &Option<Slot>), _)| match body {
            Some(body) => Result::map(body, |body| Some(Entry::Present(body))).map_err(body_error(*digest)),
            None => Ok(slot.map(|_| Entry::Known)),
        };
        digests.iter().zip(slots).zip(self.stored(slots)).map(entry).collect()
    }

    /// The compilation that a slot stands for, held against its id.
    pub(super) fn compilation_at(&self, id: &CompilationId, slot: Slot) -> Result<Compilation, StoreError> {
        let damaged = |reason| StoreError::Compilation { id: *id, reason };
        let Slot::Stored(location) = slot else { return Err(damaged("it was stripped".to_owned())) };
        self.record(location).and_then(|body| compilation(*id, body)).map_err(damaged)
    }

    /// The compilations that slots stand for, as `decode` makes them of their bytes on all threads.
    pub(super) fn records_at<T: Send>(
        &self,
        ids: &[CompilationId],
        slots: &[Option<Slot>],
        decode: impl Fn(CompilationId, Body) -> Result<T, String> + Sync,
    ) -> Vec<Result<Option<T>, StoreError>> {
        let decode = |(body, id): (Option<Result<Body, String>>, &CompilationId)| {
            let damaged = |reason| StoreError::Compilation { id: *id, reason };
            body.map(|body| body.and_then(|body| decode(*id, body)).map_err(damaged)).transpose()
        };
        spread(self.stored(slots).into_iter().zip(ids).collect(), FEW / 4, decode)
    }

    /// The records that slots stand for; slots without one have none.
    fn stored(&self, slots: &[Option<Slot>]) -> Vec<Option<Result<Body, String>>> {
        let location = |slot: &Option<Slot>| match slot {
            Some(Slot::Stored(location)) => Some(*location),
            Some(Slot::Known) | None => None,
        };
        let mut records = self.records(&slots.iter().filter_map(location).collect::<Vec<_>>()).into_iter();
        slots.iter().map(|slot| location(slot).and_then(|_| records.next())).collect()
    }

    /// The link record that a slot stands for.
    pub(super) fn link_at(&self, build: BuildId, slot: Slot) -> Result<LinkRecord, StoreError> {
        let read = match slot {
            Slot::Known => Err("it was stripped".to_owned()),
            Slot::Stored(location) => {
                self.record(location).and_then(|body| record::link_from_bytes(build, body.bytes()))
            }
        };
        read.map_err(|reason| self.damaged(format!("the link record of build {build:.16}: {reason}")))
    }
}

/// Fewer records are not worth another thread.
const FEW: usize = 256;
/// So many buckets are read together by who wants all.
const TOGETHER: usize = 16;
/// A digest is near that is no further away than so many buckets: it is come to sooner than looked for.
const NEAR: u64 = 4;
/// Fewer records, or look-ups, are not worth a mapping of the file.
const FEW_RECORDS: usize = 16;
const FEW_LOOKUPS: usize = 1024;

/// Does something with each of many things, on all threads if they are more than a few. For a few, no thread is even
/// started.
fn spread<T: Send, U: Send>(things: Vec<T>, few: usize, work: impl Fn(T) -> U + Sync + Send) -> Vec<U> {
    if things.len() <= few {
        return things.into_iter().map(work).collect();
    }
    things.into_par_iter().with_min_len(few).map(work).collect()
}

/// The bytes of a record in its row.
fn piece<'r>(row: &'r [u8], location: &Location) -> Option<&'r [u8]> {
    row.get(location.range())
}

/// What is said of a record that cannot be used.
const MISSING: &str = "it is not where it should be";
const WRONG: &str = "its checksum does not fit";

/// The compilation in these bytes, held against its id.
pub(super) fn compilation(id: CompilationId, body: Body) -> Result<Compilation, String> {
    let compilation = record::compilation_from_bytes(body.bytes())?;
    if id_of(body.bytes()) == id { Ok(compilation) } else { Err("its contents do not fit its id".to_owned()) }
}

pub(super) fn body_error(digest: FragmentDigest) -> impl FnOnce(String) -> StoreError {
    move |reason| StoreError::Body { digest, reason }
}

/// What is left of a slot for those who do not want the bytes.
pub(super) fn state(slot: Slot) -> State {
    match slot {
        Slot::Known => State::Known,
        Slot::Stored(location) => State::Present(location.checksum),
    }
}

/// The entries of a bucket, in ascending order, between the ends of its range.
type Around = (u64, Vec<(Digest, Slot)>, u64);

fn around(first: u64, bucket: Bucket<'_>) -> Result<Around, Odd> {
    let entries = bucket.entries();
    let is_ordered = entries.is_sorted_by(|(a, _), (b, _)| a < b);
    if is_ordered { Ok((first, entries, bucket.last)) } else { Err("a bucket is not in order") }
}

/// The entries of a table and of the young one beside it.
pub(super) struct Members<'c> {
    connection: &'c Connection,
    young: Option<Peekable<Level<'c>>>,
    old: Peekable<Level<'c>>,
}

impl Iterator for Members<'_> {
    type Item = Result<(Digest, Slot), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(young) = &mut self.young else { return self.old.next() };
        match (young.peek(), self.old.peek()) {
            (Some(Ok((young, _))), Some(Ok((old, _)))) if young > old => self.old.next(),
            (Some(Ok((new, _))), Some(Ok((old, _)))) if new == old => {
                young.next();
                Some(Err(self.connection.damaged("a digest stands in two of its tables")))
            }
            (None, _) | (_, Some(Err(_))) => self.old.next(),
            (Some(_), _) => young.next(),
        }
    }
}

/// The entries of one table, bucket by bucket.
pub(super) struct Level<'c> {
    connection: &'c Connection,
    table: Table,
    /// Where the next bucket is looked for: whatever starts behind the last one counts, also inside of its range.
    from: Option<u64>,
    /// The prefix that the next bucket must start with; `None` behind the last one.
    next: Option<u64>,
    current: vec::IntoIter<(Digest, Slot)>,
    /// Buckets that were read with the last one.
    ready: vec::IntoIter<Result<Around, Odd>>,
}

impl Level<'_> {
    /// Reads the next bucket; says whether there is one.
    fn load(&mut self, from: u64) -> Result<bool, StoreError> {
        if self.ready.len() == 0 {
            self.connection.map()?;
            self.ready = self.connection.entries_from(self.table, from)?.into_iter();
        }
        let odd = |reason| self.connection.odd(self.table, reason);
        match (self.ready.next().transpose().map_err(odd)?, self.next) {
            (None, None) => return Ok(false),
            (Some((first, entries, last)), Some(next)) if first == next => {
                (self.from, self.next) = (first.checked_add(1), last.checked_add(1));
                self.current = entries.into_iter();
            }
            (Some((first, ..)), next) if next.is_none_or(|next| first < next) => {
                return Err(odd("two buckets overlap"));
            }
            _ => return Err(odd("a bucket is missing")),
        }
        Ok(true)
    }
}

impl Iterator for Level<'_> {
    type Item = Result<(Digest, Slot), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.current.next() {
                return Some(Ok(entry));
            }
            // Whoever goes on after an error finds the end.
            let from = self.from.take()?;
            match self.load(from) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
