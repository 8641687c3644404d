//! A file that was a database and cannot be opened as one: a copy of it whose first page is that of every repository.
//!
//! The first page says where the tables begin, and that is the same in all repositories.
//! Deliberately absent: reading what the copy holds; each bucket and each record vouches for itself.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::connection::{Connection, PAGE, Turn};
use super::is_repository;
use crate::store::backend::Damage;
use crate::store::error::StoreError;
use crate::store::file::{io_error, scratch};
use crate::store::seal::start_of;

/// A copy that can be opened.
pub(super) struct Ruin {
    /// On the copy, with a transaction for reading.
    pub(super) connection: Connection,
    /// Why the file itself cannot be opened.
    pub(super) damage: Damage,
    /// The copy's file, which goes with it.
    pub(super) file: NamedTempFile,
}

impl Ruin {
    /// What is left of the file at `path`, which cannot be opened for this reason; the reason itself if the file does
    /// not begin as a repository.
    pub(super) fn of(path: &Path, reason: StoreError) -> Result<Self, StoreError> {
        let start = match &reason {
            StoreError::Damaged(_) | StoreError::Kind { .. } => start_of(path)?.unwrap_or_default(),
            _ => return Err(reason),
        };
        if !start.is_empty() && !is_repository(&start) {
            return Err(reason);
        }
        let file = scratch(path)?;
        Connection::create(file.path())?.commit()?;
        transplant(path, file.as_file()).map_err(io_error("copy", path))?;
        let mut connection = Connection::open(file.path())?.ok_or_else(|| StoreError::no_repository(path))?;
        path.clone_into(&mut connection.path);
        connection.begin(Turn::Read)?;
        Ok(Self { connection, damage: Damage { line: None, message: reason.to_string() }, file })
    }
}

/// Puts what is behind the first page of a file behind the first page of a database, which may be longer.
fn transplant(from: &Path, mut to: &File) -> io::Result<()> {
    let mut from = File::open(from)?;
    from.seek(SeekFrom::Start(PAGE))?;
    to.seek(SeekFrom::Start(PAGE))?;
    io::copy(&mut from, &mut to)?;
    let pages = to.metadata()?.len().div_ceil(PAGE);
    to.set_len(pages * PAGE)?;
    to.seek(SeekFrom::Start(PAGES))?;
    to.write_all(&u32::try_from(pages).unwrap_or(u32::MAX).to_be_bytes())
}

/// Where a database says how many pages it has.
const PAGES: u64 = 28;
