//! SQLite: bodies in the tree of digests, or in the order in which they came with an index of digests beside them.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::{Candidate, Record, Result};

/// Bodies lie in the tree of digests.
pub struct OneTable;

/// Bodies lie in the order in which they came; a tree of digests says where.
pub struct Index;

fn open(path: &Path, schema: &str) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "mmap_size", 64_i64 << 30)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if !connection.table_exists(None, "known")? {
        connection.execute_batch(schema)?;
    }
    Ok(connection)
}

const KNOWN: &str = "CREATE TABLE known (digest BLOB PRIMARY KEY) WITHOUT ROWID;";

impl OneTable {
    fn open(path: &Path) -> Result<Connection> {
        let table = "CREATE TABLE fragments (digest BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID;";
        open(path, &format!("{table}{KNOWN}"))
    }
}

impl Index {
    fn open(path: &Path) -> Result<Connection> {
        let tables = "CREATE TABLE bodies (at INTEGER PRIMARY KEY, body BLOB);
            CREATE TABLE fragments (digest BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID;";
        open(path, &format!("{tables}{KNOWN}"))
    }
}

fn add_known(connection: Connection, digests: &[[u8; 32]]) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO known VALUES (?1)")?;
        for digest in digests {
            insert.execute([digest])?;
        }
    }
    Ok(transaction.commit()?)
}

fn read(connection: &Connection, query: &str, digests: &[[u8; 32]]) -> Result<u64> {
    let transaction = connection.unchecked_transaction()?;
    let mut select = transaction.prepare(query)?;
    let mut sum = 0;
    for digest in digests {
        let mut rows = select.query([digest])?;
        sum += rows.next()?.ok_or("no record")?.get_ref(0)?.as_blob()?.len() as u64;
    }
    Ok(sum)
}

fn walk(connection: &Connection, query: &str) -> Result<u64> {
    let mut select = connection.prepare(query)?;
    let mut rows = select.query([])?;
    let mut sum = 0;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob()?;
        crate::damage::hold(row.get_ref(0)?.as_blob()?, body)?;
        sum += body.len() as u64;
    }
    Ok(sum)
}

impl Candidate for OneTable {
    fn name(&self) -> &'static str {
        "SQLite, one tree"
    }

    fn add(&self, path: &Path, records: &[Record]) -> Result<()> {
        let connection = Self::open(path)?;
        let transaction = connection.unchecked_transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO fragments VALUES (?1, ?2)")?;
            for (digest, body) in records {
                insert.execute(params![digest, body])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn add_known(&self, path: &Path, digests: &[[u8; 32]]) -> Result<()> {
        add_known(Self::open(path)?, digests)
    }

    fn read(&self, path: &Path, digests: &[[u8; 32]]) -> Result<u64> {
        read(&Self::open(path)?, "SELECT body FROM fragments WHERE digest = ?1", digests)
    }

    fn walk(&self, path: &Path) -> Result<u64> {
        walk(&Self::open(path)?, "SELECT digest, body FROM fragments ORDER BY digest")
    }
}

impl Candidate for Index {
    fn name(&self) -> &'static str {
        "SQLite, index beside bodies"
    }

    fn add(&self, path: &Path, records: &[Record]) -> Result<()> {
        let connection = Self::open(path)?;
        let transaction = connection.unchecked_transaction()?;
        {
            let mut body_insert = transaction.prepare("INSERT INTO bodies (body) VALUES (?1)")?;
            let mut insert = transaction.prepare("INSERT INTO fragments VALUES (?1, ?2)")?;
            for (digest, body) in records {
                let at = body_insert.insert([body])?;
                insert.execute(params![digest, at])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn add_known(&self, path: &Path, digests: &[[u8; 32]]) -> Result<()> {
        add_known(Self::open(path)?, digests)
    }

    fn read(&self, path: &Path, digests: &[[u8; 32]]) -> Result<u64> {
        let query = "SELECT body FROM fragments JOIN bodies USING (at) WHERE digest = ?1";
        read(&Self::open(path)?, query, digests)
    }

    fn walk(&self, path: &Path) -> Result<u64> {
        walk(&Self::open(path)?, "SELECT digest, body FROM fragments JOIN bodies USING (at) ORDER BY digest")
    }
}
