//! The database backend: a repository in one indexed file that many processes read and write at once.
//!
//! The database keeps rows and makes changes atomic; which digests a row is for, and that none is lost, is in `bucket`.
//! Writers take turns, and readers keep the state that they began with; neither needs more of the file than it uses.
//! `docs/formats.md` is the specification, `docs/decisions/0007-database.md` says why this database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backend::{Backend, Batch, Change, Damage, Decision, Missing, View};
use super::contents::Contents;
use super::error::StoreError;
use super::repository::Transaction;
use super::seal;

mod batch;
pub mod bucket;
mod connection;
mod heap;
mod held;
mod install;
mod level;
mod outlines;
mod reader;
mod rows;
mod ruin;
mod salvage;
mod view;

use batch::DatabaseBatch;
use connection::{Connection, Turn};
use install::Fresh;
use ruin::Ruin;
use salvage::Salvage;

/// How every file of the database begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether a file that begins so is a repository.
pub(super) fn is_repository(start: &[u8]) -> bool {
    start.starts_with(MAGIC) && start.get(68..72) == Some(&connection::APPLICATION.to_be_bytes())
}

/// A repository in a database.
#[derive(Debug)]
pub struct DatabaseBackend {
    path: PathBuf,
    origin: String,
    missing: Missing,
    /// How often the file had been changed when this value was made, if there was one.
    changes: Option<Changes>,
}

/// Where the database counts the transactions that changed it. Where there is no file, there is no count.
type Changes = [u8; 4];

fn changes(path: &Path) -> Option<Changes> {
    let start = seal::start_of(path).ok()??;
    start.get(24..28)?.try_into().ok()
}

impl DatabaseBackend {
    /// The repository at `path`, which is not looked at yet but for its beginning.
    pub fn new(path: &Path, missing: Missing) -> Self {
        let (path, origin) = (path.to_owned(), path.display().to_string());
        Self { changes: changes(&path), path, origin, missing }
    }

    /// A connection, if there is a file.
    fn open(&self) -> Result<Option<Connection>, StoreError> {
        match (Connection::open(&self.path)?, self.missing) {
            (None, Missing::IsAnError) => Err(StoreError::no_repository(&self.path)),
            (found, _) => Ok(found),
        }
    }

    /// A connection that reads one state, if there is a file.
    fn reading(&self) -> Result<Option<Connection>, StoreError> {
        let found = self.open()?;
        found.iter().try_for_each(|connection| connection.begin(Turn::Read))?;
        Ok(found)
    }

    /// A connection whose turn to write has come, on the file that the path names; `None` when there is none.
    fn turn(&self) -> Result<Option<Connection>, StoreError> {
        while let Some(connection) = self.open()? {
            connection.begin(Turn::Write)?;
            // While it waited, another process may have put a mended repository in its place.
            if connection.is_current() {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    /// Makes the repository with a first change.
    fn make(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let Some(fresh) = Fresh::beside(&self.path)?.fill(as_it_is, change)? else { return Ok(()) };
        match fresh.install_new()? {
            None => Ok(()),
            Some(fresh) => self.absorb(&fresh),
        }
    }

    /// Adds what was made to the repository that another process made meanwhile.
    fn absorb(&self, fresh: &Fresh) -> Result<(), StoreError> {
        let made = fresh.read()?;
        let there = self.turn()?.ok_or_else(|| StoreError::no_repository(&self.path))?;
        let add = |batch: &mut dyn Batch| Transaction::over(batch).absorb(&made).map(drop);
        publish(&there, add, &mut |_| Decision::Commit).map(drop)
    }

    /// Puts a repository in place of one that nobody can use.
    fn mend(
        &self,
        start: impl FnOnce(&mut dyn Batch) -> Result<(), StoreError>,
        change: &mut Change<'_>,
    ) -> Result<(), StoreError> {
        Fresh::beside(&self.path)?.fill(start, change)?.map_or(Ok(()), Fresh::install)
    }
}

/// A change that starts from what there is.
fn as_it_is(_: &mut dyn Batch) -> Result<(), StoreError> {
    Ok(())
}

/// Runs a change in a transaction that has begun, and ends it. Says what the change decided.
fn publish(
    connection: &Connection,
    start: impl FnOnce(&mut dyn Batch) -> Result<(), StoreError>,
    change: &mut Change<'_>,
) -> Result<Decision, StoreError> {
    let mut batch = DatabaseBatch::new(connection);
    let run = || {
        start(&mut batch)?;
        let decision = change(&mut batch);
        if decision == Decision::Commit {
            batch.finish()?;
        }
        Ok(decision)
    };
    match run() {
        Ok(Decision::Commit) => connection.commit().map(|()| Decision::Commit),
        aborted => {
            connection.roll_back();
            aborted
        }
    }
}

impl Backend for DatabaseBackend {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn read(&self) -> Result<Arc<dyn View + '_>, StoreError> {
        let Some(connection) = self.reading()? else { return Ok(Arc::<Contents>::default()) };
        #[allow(clippy::arc_with_non_send_sync, reason = "a view stays on its thread")]
        Ok(Arc::new(connection))
    }

    fn is_unchanged(&self) -> bool {
        self.changes.is_some() && self.changes == changes(&self.path)
    }

    fn write(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        match self.turn()? {
            Some(connection) => publish(&connection, as_it_is, change).map(drop),
            None => self.make(change),
        }
    }

    fn replace(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        match self.turn() {
            Ok(Some(connection)) => publish(&connection, |batch| batch.clear(), change).map(drop),
            Ok(None) => self.make(change),
            // Nothing of it is kept.
            Err(StoreError::Damaged(_)) => self.mend(as_it_is, change),
            Err(error) => Err(error),
        }
    }

    fn examine(&self) -> Result<(Arc<dyn View + '_>, Vec<Damage>), StoreError> {
        match self.reading() {
            Ok(found) => salvage::examine(found.ok_or_else(|| StoreError::no_repository(&self.path))?),
            Err(reason) => salvage::examine_ruin(Ruin::of(&self.path, reason)?),
        }
    }

    fn repair(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let connection = match self.turn() {
            Ok(found) => found.ok_or_else(|| StoreError::no_repository(&self.path))?,
            Err(reason) => {
                let Ruin { connection, damage, .. } = &Ruin::of(&self.path, reason)?;
                let salvage = Salvage::of(connection, Some(damage.clone()))?;
                return self.mend(|batch| salvage.copy(connection, batch), change);
            }
        };
        let salvage = Salvage::of(&connection, None)?;
        if salvage.damage.is_empty() {
            return publish(&connection, as_it_is, change).map(drop);
        }
        // The old file stays locked until the mended one has taken its place.
        self.mend(|batch| salvage.copy(&connection, batch), change)
    }
}
