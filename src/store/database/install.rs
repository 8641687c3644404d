//! A database that is made beside its place and put there when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::connection::{Connection, Turn};
use super::publish;
use crate::store::backend::{Batch, Change, Decision};
use crate::store::error::StoreError;
use crate::store::file::{install, install_new, scratch};

/// A new database that nobody sees yet.
pub(super) struct Fresh {
    file: NamedTempFile,
    target: PathBuf,
}

impl Fresh {
    /// An empty file in the directory of `target`. It goes unless it is put there.
    pub(super) fn beside(target: &Path) -> Result<Self, StoreError> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        Ok(Self { file: scratch(&target)?, target })
    }

    /// Fills it; `None` if the change decides to forget it.
    pub(super) fn fill(
        self,
        start: impl FnOnce(&mut dyn Batch) -> Result<(), StoreError>,
        change: &mut Change<'_>,
    ) -> Result<Option<Self>, StoreError> {
        let connection = Connection::create(self.file.path())?;
        let decision = publish(&connection, start, change)?;
        drop(connection);
        Ok(Some(self).filter(|_| decision == Decision::Commit))
    }

    /// What it was filled with.
    pub(super) fn read(&self) -> Result<Connection, StoreError> {
        let opened = Connection::open(self.file.path())?;
        let connection = opened.ok_or_else(|| StoreError::no_repository(&self.target))?;
        connection.begin(Turn::Read)?;
        Ok(connection)
    }

    /// Puts it in its place, unless another one is there by now: then it is given back.
    pub(super) fn install_new(self) -> Result<Option<Self>, StoreError> {
        let Self { file, target } = self;
        Ok(install_new(file, &target)?.map(|file| Self { file, target }))
    }

    /// Puts it in place of what is there.
    pub(super) fn install(self) -> Result<(), StoreError> {
        // What a killed process wanted to undo in the old file is not to be undone in the new one.
        install(self.file, &self.target, &journal(&self.target))
    }
}

/// Where the database keeps what it needs to undo an unfinished transaction.
fn journal(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}
