//! Connections to a database: opening, holding it against what `toy` makes, transactions, errors.
//!
//! Deliberately absent: what the rows mean. And any opening of the database's file but by the library: to close it
//! again would take the library's locks away from this process.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{ErrorCode, OpenFlags};

use super::bucket::{self, Table};
use super::held::opened;
use crate::store::ahead::Ahead;
use crate::store::error::StoreError;
use crate::store::file::{io_error, not_a_file};
use crate::store::seal::{Kind, VERSION, damaged};

/// An open database.
pub(super) struct Connection {
    pub(super) sql: rusqlite::Connection,
    pub(super) path: PathBuf,
    identity: Identity,
    is_new: bool,
    is_mapped: Cell<bool>,
    /// Whether there are young tables.
    has_young: Cell<bool>,
    is_patient: Patience,
    /// Who flushes what a large transaction writes.
    ahead: OnceCell<Option<Ahead>>,
}

/// Whether a lock that others have is waited for.
type Patience = Arc<AtomicBool>;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Reading one state.
    Read,
    /// Changing it, while nobody else does.
    Write,
}

/// What `PRAGMA application_id` says of a repository: `toyr`.
pub(super) const APPLICATION: u32 = u32::from_be_bytes(*b"toyr");

/// The tables of a repository, in the order of their names. The young ones come with version 2.
const SCHEMA: [&str; 6] = [
    "CREATE TABLE compilations (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE fragments (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE heap (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    "CREATE TABLE links (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE young_compilations (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE young_fragments (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
];

/// The number of tables of version 1, and of this version.
const TABLES: [usize; 2] = [4, 6];

/// The version of a database with young tables.
const NEWEST: u32 = VERSION + 1;

/// So many KiB of changes wait in memory for the end of a transaction. Only a larger one has readers wait before, unless
/// somebody reads already.
const KEPT: i64 = 4 << 10;

/// So many KiB of what was read by system calls are kept by who reads more than a few buckets.
const READ: i64 = 2 << 10;

/// The most that is mapped into memory; what lies behind it is read by system calls.
const MAPPED: i64 = 64 << 30;

impl Connection {
    /// Opens the database at `path`, if there is a file. It is not looked at before a transaction begins.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(identity) = Identity::of(path)? else { return Ok(None) };
        Self::connect(path, identity, false).map(Some)
    }

    fn connect(path: &Path, identity: Identity, is_new: bool) -> Result<Self, StoreError> {
        let (sql, is_patient) = connect(path)?;
        let ([is_mapped, has_young], ahead) = ([false; 2].map(Cell::new), OnceCell::new());
        Ok(Self { sql, path: path.to_owned(), identity, is_new, is_mapped, has_young, is_patient, ahead })
    }

    /// Maps the file into memory, for who is going to read more than a few buckets. Until then pages are read by system
    /// calls: to have one mapped costs more than to copy it.
    pub(super) fn map(&self) -> Result<(), StoreError> {
        if self.is_mapped.replace(true) {
            return Ok(());
        }
        self.run(|sql| {
            sql.pragma_update(None, "mmap_size", MAPPED)?;
            sql.pragma_update(None, "cache_size", -READ)
        })
    }

    /// Makes an empty repository of the empty file at `path`. Nothing is flushed, and nobody else may use it yet.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let identity = Identity { inode: None, size: 0 };
        let connection = Self::connect(path, identity, true)?;
        connection.map()?;
        connection.run(|sql| {
            sql.pragma_update(None, "locking_mode", "exclusive")?;
            sql.pragma_update(None, "journal_mode", "off")?;
            sql.pragma_update(None, "synchronous", "off")?;
            sql.pragma_update(None, "page_size", PAGE as i64)?;
            sql.pragma_update(None, "auto_vacuum", "incremental")?;
            sql.execute_batch("BEGIN")?;
            sql.pragma_update(None, "application_id", APPLICATION)?;
            sql.pragma_update(None, "user_version", VERSION)?;
            SCHEMA[..TABLES[0]].iter().try_for_each(|table| sql.execute_batch(table))
        })?;
        Table::OLD.into_iter().try_for_each(|table| connection.lay_out(table))?;
        Ok(connection)
    }

    /// Makes young tables, and with them version 2. A database without them stays one that an older `toy` reads.
    pub(super) fn make_young(&self) -> Result<(), StoreError> {
        if self.has_young.replace(true) {
            return Ok(());
        }
        self.run(|sql| {
            SCHEMA[TABLES[0]..].iter().try_for_each(|table| sql.execute_batch(table))?;
            sql.pragma_update(None, "user_version", NEWEST)
        })?;
        Table::OLD.into_iter().filter_map(Table::young).try_for_each(|table| self.lay_out(table))
    }

    /// Whether there are young tables.
    pub(super) fn has_young(&self) -> bool {
        self.has_young.get()
    }

    /// Whether the database was made by this connection, with nothing in it.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether the path still names the file that was opened.
    pub(super) fn is_current(&self) -> bool {
        matches!(Identity::of(&self.path), Ok(Some(identity)) if identity.inode == self.identity.inode)
    }

    /// Begins a transaction on a database that is what `toy` makes. It must be ended by [`Self::end`].
    pub(super) fn begin(&self, turn: Turn) -> Result<(), StoreError> {
        match turn {
            Turn::Read => self.run(|sql| sql.execute_batch("BEGIN"))?,
            Turn::Write => {
                self.map()?;
                self.run(|sql| {
                    // A commit is durable before anybody is told of it: also the removal of its journal is flushed.
                    sql.pragma_update(None, "synchronous", "extra")?;
                    sql.pragma_update(None, "cache_size", -KEPT)?;
                    sql.execute_batch("BEGIN IMMEDIATE")
                })?;
                // What is more than may wait in memory is written early, if nobody reads. Who reads may himself wait for
                // somebody who reads what we read: then it waits in memory all the same.
                self.is_patient.store(false, Ordering::Relaxed);
            }
        }
        self.verify().inspect_err(|_| self.roll_back())
    }

    /// Whether something was changed since the connection was opened.
    pub(super) fn is_changed(&self) -> bool {
        self.is_new || self.sql.total_changes() > 0
    }

    /// Another connection that reads the state which this one reads: nobody can publish another one while this one reads.
    pub(super) fn again(&self) -> Result<Option<Self>, StoreError> {
        let Some(other) = Self::open(&self.path)? else { return Ok(None) };
        // Who would have to be waited for may himself wait until nobody reads this state any more.
        other.is_patient.store(false, Ordering::Relaxed);
        other.begin(Turn::Read)?;
        // Another process may have put a mended repository in its place.
        Ok(Some(other).filter(|other| other.identity.inode == self.identity.inode && other.is_current()))
    }

    /// Publishes what the transaction did: the line where it becomes permanent.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.is_patient.store(true, Ordering::Relaxed);
        self.run(|sql| sql.prepare_cached("COMMIT")?.execute([])).map(drop).inspect_err(|_| self.roll_back())
    }

    /// Has what is written by now flushed while the transaction goes on.
    pub(super) fn flush_ahead(&self) {
        self.ahead.get_or_init(|| Ahead::of(opened(&self.path)?)).iter().for_each(Ahead::nudge);
    }

    /// Forgets what the transaction did.
    pub(super) fn roll_back(&self) {
        // Where there is nothing to roll back, or it cannot be, the next process does it.
        _ = self.sql.execute_batch("ROLLBACK");
    }

    /// Holds the frame of the database against what `toy` makes: a foreign schema could contain anything.
    fn verify(&self) -> Result<(), StoreError> {
        if self.identity.size == 0 {
            return Err(self.damaged("it is empty"));
        }
        let number =
            |pragma| self.run(|sql| sql.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)));
        if number("application_id")? != i64::from(APPLICATION) {
            let (path, found) = (self.path.clone(), None);
            return Err(StoreError::Kind { path, found, expected: Kind::Repository.described() });
        }
        let version = number("user_version")?;
        let Some(at) = (VERSION..=NEWEST).position(|known| i64::from(known) == version) else {
            let (path, found) = (self.path.clone(), version.to_string());
            return Err(StoreError::Version { path, found, expected: NEWEST });
        };
        self.has_young.set(at > 0);
        let tables = self.run(|sql| {
            let mut tables = sql.prepare_cached("SELECT sql FROM sqlite_schema ORDER BY name LIMIT 9")?;
            tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        })?;
        if tables != SCHEMA[..TABLES[at]] {
            return Err(self.damaged("its tables are not those of a repository"));
        }
        if !self.identity.size.is_multiple_of(PAGE) {
            return Err(self.damaged("it does not end where a page ends"));
        }
        Ok(())
    }

    /// Puts the bucket for all digests into an empty table.
    fn lay_out(&self, table: Table) -> Result<(), StoreError> {
        self.put_bucket(table, 0, &bucket::bytes(table, 0, u64::MAX, &[]))
    }

    /// Removes everything from a table.
    pub(super) fn clear_table(&self, table: Table) -> Result<(), StoreError> {
        self.run(|sql| sql.execute_batch(table.clear()))?;
        self.lay_out(table)
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        self.run(|sql| sql.execute_batch("DELETE FROM heap"))?;
        self.tables().try_for_each(|table| self.clear_table(table))
    }

    /// The tables of digests that there are.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table> {
        Table::OLD.into_iter().flat_map(|table| self.levels(table))
    }

    /// The tables in which a digest of one may stand: the young one first, where there is one.
    pub(super) fn levels(&self, table: Table) -> impl Iterator<Item = Table> + use<> {
        table.young().filter(|_| self.has_young()).into_iter().chain([table])
    }

    /// The number of bytes in a row of the heap; one that is missing has none.
    pub(super) fn row_length(&self, row: u32) -> Result<u32, StoreError> {
        self.run(|sql| {
            let mut length =
                sql.prepare_cached("SELECT ifnull(max(length(bytes)), 0) FROM heap WHERE id = ?1")?;
            length.query_row([row], |row| row.get(0))
        })
    }

    /// Removes rows of the heap.
    pub(super) fn remove_rows<'r>(&self, mut rows: impl Iterator<Item = &'r u32>) -> Result<(), StoreError> {
        self.run(|sql| {
            let mut remove = sql.prepare_cached("DELETE FROM heap WHERE id = ?1")?;
            rows.try_for_each(|row| remove.execute([row]).map(drop))
        })
    }

    /// Gives pages that nothing is on back to the system, when the transaction is committed.
    pub(super) fn shrink(&self) -> Result<(), StoreError> {
        self.run(|sql| {
            let mut shrink = sql.prepare("PRAGMA incremental_vacuum")?;
            let mut rows = shrink.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        })
    }

    /// Puts a bucket in place of the one that starts there.
    pub(super) fn put_bucket(&self, table: Table, first: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.run(|sql| sql.prepare_cached(table.put())?.execute((key(first), bytes)).map(drop))
    }

    /// Runs something on the database; its error becomes ours.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        work(&self.sql).map_err(|error| store_error(&self.path, error))
    }

    /// The error for a database that has no numbers left.
    pub(super) fn full(&self) -> StoreError {
        let source = io::Error::new(io::ErrorKind::FileTooLarge, "it has no numbers left for more");
        StoreError::Io { action: "write", path: self.path.clone(), source }
    }

    /// The error for a database that can be read but is not as `toy` writes it.
    pub(super) fn damaged(&self, message: impl Into<String>) -> StoreError {
        damaged(Kind::Repository, &self.path, None, message.into())
    }
}

/// A statement about a table.
macro_rules! about {
    ($table:ident, $before:literal, $after:literal) => {
        match $table {
            Table::Fragments => concat!($before, "fragments", $after),
            Table::Compilations => concat!($before, "compilations", $after),
            Table::Links => concat!($before, "links", $after),
            Table::YoungFragments => concat!($before, "young_fragments", $after),
            Table::YoungCompilations => concat!($before, "young_compilations", $after),
        }
    };
}

impl Table {
    /// What it is called in the database and in messages.
    pub const fn name(self) -> &'static str {
        about!(self, "", "")
    }

    const fn put(self) -> &'static str {
        about!(self, "REPLACE INTO ", " VALUES (?1, ?2)")
    }

    const fn clear(self) -> &'static str {
        about!(self, "DELETE FROM ", "")
    }

    /// Finds the bucket whose range has a prefix.
    pub(super) const fn seek(self) -> &'static str {
        about!(self, "SELECT first, bucket FROM ", " WHERE first <= ?1 ORDER BY first DESC LIMIT 1")
    }

    /// Finds all buckets that start at a prefix or behind it.
    pub(super) const fn from(self) -> &'static str {
        about!(self, "SELECT first, bucket FROM ", " WHERE first >= ?1 ORDER BY first")
    }

    /// Finds the first bucket that starts at a prefix or behind it.
    pub(super) const fn next(self) -> &'static str {
        about!(self, "SELECT first, bucket FROM ", " WHERE first >= ?1 ORDER BY first LIMIT 1")
    }
}

/// The integer under which the database sorts a prefix: its integers have a sign.
pub(super) const fn key(prefix: u64) -> i64 {
    (prefix ^ 1 << 63) as i64
}

/// The prefix that the database sorts under an integer.
pub(super) const fn prefix_of(key: i64) -> u64 {
    key as u64 ^ 1 << 63
}

fn connect(path: &Path) -> Result<(rusqlite::Connection, Patience), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let is_patient = Patience::new(true.into());
    let patience = Arc::clone(&is_patient);
    let wait = move |turns| patience.load(Ordering::Relaxed) && wait(turns);
    let sql = rusqlite::Connection::open_with_flags(path, flags);
    let sql = sql.and_then(|mut sql| sql.busy_handler(Some(wait)).map(|()| sql));
    Ok((sql.map_err(|error| store_error(path, error))?, is_patient))
}

/// How long others are waited for, in milliseconds: five minutes.
const PATIENCE: i32 = 300_000;

/// Waits a little for whoever has the database, the longer the longer it takes.
fn wait(turns: i32) -> bool {
    const LONGEST: i32 = 8;
    let pause = turns.min(LONGEST);
    thread::sleep(Duration::from_micros(200 + 1000 * pause as u64));
    turns.saturating_mul(LONGEST) < PATIENCE
}

/// Which file a path names, and its size in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    /// None where the system has none.
    pub inode: Option<Inode>,
    size: u64,
}

/// The number of a device, and that of a file on it.
pub(super) type Inode = (u64, u64);

/// The size of a database's page, in bytes.
pub(super) const PAGE: u64 = 16384;

impl Identity {
    pub(super) fn of(path: &Path) -> Result<Option<Self>, StoreError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", path)(error)),
        };
        if metadata.is_dir() {
            return Err(io_error("open", path)(io::ErrorKind::IsADirectory.into()));
        } else if !metadata.is_file() {
            return Err(io_error("open", path)(not_a_file()));
        }
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Ok(Some(Self { inode, size: metadata.len() }))
    }
}

/// What the library says, in our words.
fn store_error(path: &Path, error: rusqlite::Error) -> StoreError {
    let io = |action, kind| StoreError::Io {
        action,
        path: path.to_owned(),
        source: io::Error::new(kind, error.to_string()),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            StoreError::Busy { path: path.to_owned() }
        }
        Some(ErrorCode::ReadOnly) => io("write", io::ErrorKind::PermissionDenied),
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            io("open", io::ErrorKind::PermissionDenied)
        }
        Some(ErrorCode::DiskFull) => io("write", io::ErrorKind::StorageFull),
        Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => {
            io("read or write", io::ErrorKind::Other)
        }
        Some(ErrorCode::NotADatabase) => {
            StoreError::Kind { path: path.to_owned(), found: None, expected: Kind::Repository.described() }
        }
        // Whatever else is wrong with it: it is not what we wrote.
        _ => damaged(Kind::Repository, path, None, error.to_string()),
    }
}
