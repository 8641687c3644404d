//! The YAML backend: a repository in one readable file, which is replaced as a whole.
//!
//! The bytes of the file are a function of what the repository holds, whoever put it there in whatever order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::backend::{Backend, Change, Damage, Decision, Missing, View};
use super::contents::Contents;
use super::error::StoreError;
use super::file::{self, Locked};
use super::{salvage, wire};

/// A repository in a YAML file.
#[derive(Debug)]
pub struct YamlBackend {
    path: PathBuf,
    origin: String,
    missing: Missing,
    /// What was read last: most processes read a file, do their work, and find the same bytes under the lock.
    last: Mutex<Option<(blake3::Hash, Arc<Contents>)>>,
}

impl YamlBackend {
    /// The repository at `path`, which is not looked at yet.
    pub fn new(path: &Path, missing: Missing) -> Self {
        let origin = path.display().to_string();
        Self { path: path.to_owned(), origin, missing, last: Mutex::new(None) }
    }

    fn not_found(&self) -> StoreError {
        StoreError::no_repository(&self.path)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Arc<Contents>, StoreError> {
        let hash = blake3::hash(bytes);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, contents)) = last.as_ref().filter(|(of, _)| *of == hash) {
            return Ok(Arc::clone(contents));
        }
        let contents = Arc::new(wire::repository::from_yaml(&self.path, bytes)?);
        *last = Some((hash, Arc::clone(&contents)));
        Ok(contents)
    }

    fn lock(&self) -> Result<Locked, StoreError> {
        let empty = match self.missing {
            Missing::IsAnError => None,
            Missing::IsEmpty => Some(empty()),
        };
        Locked::acquire(&self.path, empty.as_deref())?.ok_or_else(|| self.not_found())
    }
}

impl Backend for YamlBackend {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn read(&self) -> Result<Arc<dyn View + '_>, StoreError> {
        Ok(match (file::read(&self.path)?, self.missing) {
            (Some(bytes), _) => self.parse(&bytes)?,
            (None, Missing::IsEmpty) => Arc::<Contents>::default(),
            (None, Missing::IsAnError) => return Err(self.not_found()),
        })
    }

    fn write(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let locked = self.lock()?;
        let before = self.parse(&locked.read()?)?;
        let mut next = Contents::clone(&before);
        match change(&mut next) {
            Decision::Commit if next == *before => Ok(()),
            Decision::Commit => publish(locked, &next),
            Decision::Abort => locked.give_up(&empty()),
        }
    }

    fn replace(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let locked = self.lock()?;
        let mut next = Contents::default();
        match change(&mut next) {
            Decision::Commit => publish(locked, &next),
            Decision::Abort => locked.give_up(&empty()),
        }
    }

    fn examine(&self) -> Result<(Arc<dyn View + '_>, Vec<Damage>), StoreError> {
        let bytes = file::read(&self.path)?.ok_or_else(|| self.not_found())?;
        let (contents, damage) = salvage::salvage(&self.path, &bytes)?;
        Ok((Arc::new(contents), damage))
    }

    fn repair(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let locked = self.lock()?;
        let (mut next, _) = salvage::salvage(&self.path, &locked.read()?)?;
        if change(&mut next) == Decision::Commit {
            publish(locked, &next)?;
        }
        Ok(())
    }
}

/// The line where a change becomes permanent.
fn publish(locked: Locked, next: &Contents) -> Result<(), StoreError> {
    locked.replace(wire::repository::to_yaml(next).as_bytes())
}

/// The bytes of a repository that holds nothing.
fn empty() -> Vec<u8> {
    wire::repository::to_yaml(&Contents::default()).into_bytes()
}
