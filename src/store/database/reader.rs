//! Reading a database inside a transaction: digests to buckets, buckets to bytes in the heap.

use std::sync::Arc;
use std::vec;

use rayon::prelude::*;

use super::bucket::{Bucket, Location, Slot, Table, prefix};
use super::connection::{Connection, key, prefix_of};
use crate::digest::{BuildId, CompilationId, Digest, FragmentDigest};
use crate::object::compilation::Compilation;
use crate::object::fragment::Body;
use crate::object::link_record::LinkRecord;
use crate::store::backend::{Compilations, Entries, State};
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
        let odd = |reason: &str| self.damaged(format!("in its {}, {reason}", table.name()));
        let found = self.run(|sql| {
            let mut statement = sql.prepare_cached(table.seek())?;
            let mut rows = statement.query([key(at)])?;
            let Some(row) = rows.next()? else { return Ok(Err(odd("the first bucket is missing"))) };
            let first = prefix_of(row.get(0)?);
            Ok(match Bucket::parse(table, first, row.get_ref(1)?.as_blob()?) {
                Ok(bucket) if bucket.last >= at => Ok(read(first, bucket)),
                Ok(_) => Err(odd("a bucket is missing")),
                Err(reason) => Err(odd(reason)),
            })
        });
        found?
    }

    /// All entries of the bucket whose range has a prefix.
    pub(super) fn entries_around(&self, table: Table, at: u64) -> Result<Around, StoreError> {
        let read = |first, bucket: Bucket<'_>| (first, bucket.entries().collect::<Vec<_>>(), bucket.last);
        let found = self.with_bucket(table, at, read)?;
        if found.1.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Ok(found);
        }
        Err(self.damaged(format!("in its {}, a bucket is not in order", table.name())))
    }

    /// What a table has for a digest.
    pub(super) fn slot(&self, table: Table, digest: &Digest) -> Result<Option<Slot>, StoreError> {
        self.with_bucket(table, prefix(digest), |_, bucket| bucket.find(digest))
    }

    /// What a table has for each digest. A bucket that several ascending digests are in is read once.
    pub(super) fn slots<'d>(
        &self,
        table: Table,
        digests: impl ExactSizeIterator<Item = &'d Digest>,
    ) -> Result<Vec<Option<Slot>>, StoreError> {
        if digests.len() > FEW_LOOKUPS {
            self.map()?;
        }
        let mut slots = Vec::with_capacity(digests.len());
        let mut digests = digests.peekable();
        while let Some(digest) = digests.next() {
            self.with_bucket(table, prefix(digest), |first, bucket| {
                slots.push(bucket.find(digest));
                let range = first..=bucket.last;
                while let Some(digest) = digests.next_if(|digest| range.contains(&prefix(digest))) {
                    slots.push(bucket.find(digest));
                }
            })?;
        }
        Ok(slots)
    }

    /// All of a table, by digest in ascending order. A range that nobody has is damage.
    pub(super) fn members(&self, table: Table) -> Members<'_> {
        Members { connection: self, table, next: Some(0), current: Vec::new().into_iter() }
    }

    /// Reads many records. Those of one row are read together; they are held against their checksums on all threads.
    /// What was asked for comes back in the order of `locations`, or the reason why it does not.
    fn records(&self, locations: &[Location]) -> Vec<Result<Body, String>> {
        let read = match self.bytes(locations) {
            Ok(read) => read,
            Err(error) => return locations.iter().map(|_| Err(error.to_string())).collect(),
        };
        let hold = |(bytes, location): (Option<Arc<[u8]>>, &Location)| {
            let bytes = bytes.ok_or("it is not where it should be")?;
            Ok(Body::held(bytes, location.checksum).ok_or("its checksum does not fit")?)
        };
        spread(read.into_iter().zip(locations).collect(), FEW, hold)
    }

    /// The bytes at each location, whatever they are; `None` where there are none.
    pub(super) fn bytes(&self, locations: &[Location]) -> Result<Vec<Option<Arc<[u8]>>>, StoreError> {
        self.map()?;
        let mut order = (0..locations.len()).collect::<Vec<_>>();
        order.sort_unstable_by_key(|at| (locations[*at].row, locations[*at].offset));
        let mut read = vec![None; locations.len()];
        for wanted in order.chunk_by(|a, b| locations[*a].row == locations[*b].row) {
            let take = |row: &[u8]| wanted.iter().for_each(|at| read[*at] = cut(row, &locations[*at]));
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
        compilation(id, &self.record(location).map_err(damaged)?)
    }

    /// The compilations that slots stand for. They are decoded on all threads.
    pub(super) fn compilations_at(&self, ids: &[CompilationId], slots: &[Option<Slot>]) -> Compilations {
        let decode = |(body, id): (Option<Result<Body, String>>, &CompilationId)| {
            let damaged = |reason| StoreError::Compilation { id: *id, reason };
            body.map(|body| compilation(id, &body.map_err(damaged)?)).transpose()
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
/// Fewer look-ups are not worth a mapping of the file.
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
fn cut(row: &[u8], location: &Location) -> Option<Arc<[u8]>> {
    let start = location.offset as usize;
    row.get(start..start.checked_add(location.length as usize)?).map(Arc::from)
}

fn compilation(id: &CompilationId, body: &Body) -> Result<Compilation, StoreError> {
    let damaged = |reason| StoreError::Compilation { id: *id, reason };
    let compilation = record::compilation_from_bytes(body.bytes()).map_err(damaged)?;
    if compilation.id() != *id {
        return Err(damaged("its contents do not fit its id".to_owned()));
    }
    Ok(compilation)
}

fn body_error(digest: FragmentDigest) -> impl FnOnce(String) -> StoreError {
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

/// The entries of a table, bucket by bucket.
pub(super) struct Members<'c> {
    connection: &'c Connection,
    table: Table,
    /// The prefix that the next bucket must start with; `None` behind the last one.
    next: Option<u64>,
    current: vec::IntoIter<(Digest, Slot)>,
}

impl Members<'_> {
    fn load(&mut self, at: u64) -> Result<(), StoreError> {
        self.connection.map()?;
        let (first, entries, last) = self.connection.entries_around(self.table, at)?;
        if first != at {
            return Err(self
                .connection
                .damaged(format!("in its {}, two buckets overlap", self.table.name())));
        }
        self.current = entries.into_iter();
        self.next = last.checked_add(1);
        Ok(())
    }
}

impl Iterator for Members<'_> {
    type Item = Result<(Digest, Slot), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.current.next() {
                return Some(Ok(entry));
            }
            // Whoever goes on after an error finds the end.
            let at = self.next.take()?;
            if let Err(error) = self.load(at) {
                return Some(Err(error));
            }
        }
    }
}
