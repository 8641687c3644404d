//! Connections to a database: opening, holding it against what `toy` makes, transactions, errors.
//!
//! Deliberately absent: what the rows mean. And any opening of the database's file but by the library: to close it
//! again would take the library's locks away from this process.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::{ErrorCode, OpenFlags};

use super::bucket::{self, Table};
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
}

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

/// The tables of a repository, in the order of their names.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE compilations (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE fragments (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
    "CREATE TABLE heap (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    "CREATE TABLE links (first INTEGER PRIMARY KEY, bucket BLOB NOT NULL)",
];

/// So many KiB of changes wait in memory for the end of a transaction. Only a larger one has readers wait before.
const KEPT: i64 = 64 << 10;

/// So many KiB of what was read by system calls are kept by who reads more than a few buckets.
const READ: i64 = 2 << 10;

/// The most that is mapped into memory; what lies behind it is read by system calls.
const MAPPED: i64 = 64 << 30;

impl Connection {
    /// Opens the database at `path`, if there is a file. It is not looked at before a transaction begins.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(identity) = Identity::of(path)? else { return Ok(None) };
        Ok(Some(Self::of(connect(path)?, path, identity, false)))
    }

    fn of(sql: rusqlite::Connection, path: &Path, identity: Identity, is_new: bool) -> Self {
        Self { sql, path: path.to_owned(), identity, is_new, is_mapped: Cell::new(false) }
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
        let connection = Self::of(connect(path)?, path, identity, true);
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
            SCHEMA.iter().try_for_each(|table| sql.execute_batch(table))
        })?;
        connection.lay_out()?;
        Ok(connection)
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
            }
        }
        self.verify().inspect_err(|_| self.roll_back())
    }

    /// Publishes what the transaction did: the line where it becomes permanent.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        self.run(|sql| sql.prepare_cached("COMMIT")?.execute([])).map(drop).inspect_err(|_| self.roll_back())
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
        if version != i64::from(VERSION) {
            let (path, found) = (self.path.clone(), version.to_string());
            return Err(StoreError::Version { path, found, expected: VERSION });
        }
        let tables = self.run(|sql| {
            let mut tables = sql.prepare_cached("SELECT sql FROM sqlite_schema ORDER BY name LIMIT 9")?;
            tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        })?;
        if tables != SCHEMA {
            return Err(self.damaged("its tables are not those of a repository"));
        }
        if !self.identity.size.is_multiple_of(PAGE) {
            return Err(self.damaged("it does not end where a page ends"));
        }
        Ok(())
    }

    /// Puts the bucket for all digests into each table.
    pub(super) fn lay_out(&self) -> Result<(), StoreError> {
        Table::ALL
            .into_iter()
            .try_for_each(|table| self.put_bucket(table, 0, &bucket::bytes(table, 0, u64::MAX, &[])))
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        self.run(|sql| {
            sql.execute_batch(
                "DELETE FROM links; DELETE FROM compilations; DELETE FROM fragments; DELETE FROM heap",
            )
        })?;
        self.lay_out()
    }

    /// Removes rows of the heap.
    pub(super) fn remove_rows(&self, rows: &BTreeSet<u32>) -> Result<(), StoreError> {
        self.run(|sql| {
            let mut remove = sql.prepare_cached("DELETE FROM heap WHERE id = ?1")?;
            rows.iter().try_for_each(|row| remove.execute([row]).map(drop))
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

impl Table {
    /// The tables in the order in which they may refer to each other.
    pub(super) const ALL: [Self; 3] = [Self::Fragments, Self::Compilations, Self::Links];

    /// What it is called in the database and in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fragments => "fragments",
            Self::Compilations => "compilations",
            Self::Links => "links",
        }
    }

    const fn put(self) -> &'static str {
        match self {
            Self::Fragments => "REPLACE INTO fragments VALUES (?1, ?2)",
            Self::Compilations => "REPLACE INTO compilations VALUES (?1, ?2)",
            Self::Links => "REPLACE INTO links VALUES (?1, ?2)",
        }
    }

    /// Finds the bucket whose range has a prefix.
    pub(super) const fn seek(self) -> &'static str {
        match self {
            Self::Fragments => {
                "SELECT first, bucket FROM fragments WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
            }
            Self::Compilations => {
                "SELECT first, bucket FROM compilations WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
            }
            Self::Links => "SELECT first, bucket FROM links WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
        }
    }

    /// Finds the first bucket that starts at a prefix or behind it.
    pub(super) const fn next(self) -> &'static str {
        match self {
            Self::Fragments => "SELECT first, bucket FROM fragments WHERE first >= ?1 ORDER BY first LIMIT 1",
            Self::Compilations => {
                "SELECT first, bucket FROM compilations WHERE first >= ?1 ORDER BY first LIMIT 1"
            }
            Self::Links => "SELECT first, bucket FROM links WHERE first >= ?1 ORDER BY first LIMIT 1",
        }
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

fn connect(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = rusqlite::Connection::open_with_flags(path, flags);
    sql.and_then(|mut sql| sql.busy_handler(Some(wait)).map(|()| sql))
        .map_err(|error| store_error(path, error))
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
struct Identity {
    inode: Option<(u64, u64)>,
    size: u64,
}

/// The size of a database's page, in bytes.
pub(super) const PAGE: u64 = 16384;

impl Identity {
    fn of(path: &Path) -> Result<Option<Self>, StoreError> {
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
