//! The heap: records one behind the other in rows that fill a page of the database each.
//!
//! Rows are only ever added and removed, never changed.

use super::connection::Connection;
use crate::digest::Checksum;
use crate::object::fragment::Body;
use crate::store::ahead::WORTH;
use crate::store::error::StoreError;
use crate::store::places::Location;

/// A row takes so many bytes, unless a single record is longer: what fits on a page of the database with the
/// page's and the row's own headers.
const ROW: usize = 16_300;

/// So many rows are worth to be flushed before the end.
const TOGETHER: u32 = (WORTH / ROW) as u32;

/// Adds rows behind those that are there.
pub(super) struct Heap<'c> {
    connection: &'c Connection,
    /// The number of the row that is being filled.
    row: u32,
    bytes: Vec<u8>,
    /// How many rows were stored.
    stored: u32,
}

impl<'c> Heap<'c> {
    /// The end of the heap.
    pub(super) fn open(connection: &'c Connection) -> Result<Self, StoreError> {
        let last = connection.run(|sql| {
            let mut last = sql.prepare_cached("SELECT ifnull(max(id), 0) FROM heap")?;
            last.query_row([], |row| row.get::<_, u32>(0))
        })?;
        let row = last.checked_add(1).ok_or_else(|| connection.full())?;
        Ok(Self { connection, row, bytes: Vec::with_capacity(ROW), stored: 0 })
    }

    /// Adds a record, and says where it will be once the heap is closed.
    pub(super) fn append(&mut self, record: &Body) -> Result<Location, StoreError> {
        self.append_bytes(record.bytes(), record.checksum())
    }

    /// Adds bytes that should have this checksum.
    pub(super) fn append_bytes(&mut self, bytes: &[u8], checksum: Checksum) -> Result<Location, StoreError> {
        if self.bytes.len() + bytes.len() > ROW && !self.bytes.is_empty() {
            self.store()?;
        }
        let length = u32::try_from(bytes.len()).map_err(|_| self.connection.full())?;
        let location = Location { checksum, row: self.row, offset: self.bytes.len() as u32, length };
        self.bytes.extend_from_slice(bytes);
        Ok(location)
    }

    /// Stores what is not stored yet.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        if self.bytes.is_empty() { Ok(()) } else { self.store() }
    }

    fn store(&mut self) -> Result<(), StoreError> {
        let row = (self.row, &self.bytes);
        self.connection.run(|sql| sql.prepare_cached("INSERT INTO heap VALUES (?1, ?2)")?.execute(row))?;
        self.bytes.clear();
        self.stored += 1;
        if self.stored.is_multiple_of(TOGETHER) {
            self.connection.flush_ahead();
        }
        self.row = self.row.checked_add(1).ok_or_else(|| self.connection.full())?;
        Ok(())
    }
}
