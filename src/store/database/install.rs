//! A database that is made beside its place and put there when it is complete.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::connection::Connection;
use super::publish;
use crate::store::backend::{Batch, Change, Decision};
use crate::store::error::StoreError;
use crate::store::file::{io_error, scratch, sync_directory};

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

    /// Fills it and puts it in place of what is there.
    pub(super) fn publish(
        self,
        start: impl FnOnce(&mut dyn Batch) -> Result<(), StoreError>,
        change: &mut Change<'_>,
    ) -> Result<(), StoreError> {
        let connection = Connection::create(self.file.path())?;
        let decision = publish(&connection, start, change)?;
        drop(connection);
        match decision {
            Decision::Commit => self.install(),
            Decision::Abort => Ok(()),
        }
    }

    fn install(self) -> Result<(), StoreError> {
        let Self { file, target } = self;
        let flush = || File::open(file.path())?.sync_all();
        flush().map_err(io_error("flush", &target))?;
        // What a killed process wanted to undo in the old file is not to be undone in the new one.
        let journal = journal(&target);
        match fs::remove_file(&journal) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error("remove", &journal)(error));
            }
            _ => {}
        }
        // From here on everybody sees the new database.
        file.persist(&target).map_err(|error| io_error("replace", &target)(error.error))?;
        sync_directory(&target)
    }
}

/// Where the database keeps what it needs to undo an unfinished transaction.
fn journal(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}
