//! A repository in memory, for tests and for tools that need none that lasts.

use std::sync::{Arc, Mutex, PoisonError};

use super::backend::{Backend, Change, Damage, Decision, View};
use super::contents::Contents;
use super::error::StoreError;

/// Contents without a file.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    published: Mutex<Arc<Contents>>,
}

impl Backend for MemoryBackend {
    fn origin(&self) -> &str {
        "memory"
    }

    fn read(&self) -> Result<Arc<dyn View + '_>, StoreError> {
        Ok(Arc::<Contents>::clone(&self.published.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn examine(&self) -> Result<(Arc<dyn View + '_>, Vec<Damage>), StoreError> {
        Ok((self.read()?, Vec::new()))
    }

    fn repair(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        self.write(change)
    }

    fn write(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Contents::clone(&published);
        if change(&mut next) == Decision::Commit {
            // From here on everybody sees the change.
            *published = Arc::new(next);
        }
        Ok(())
    }
}
