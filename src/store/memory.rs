//! A repository in memory, for tests and for tools that need none that lasts.

use std::sync::{Arc, Mutex, PoisonError};

use super::backend::{Backend, Change, Damage, Decision, View};
use super::contents::Contents;
use super::error::StoreError;

/// Contents without a file.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    /// Held by the one who changes the store; readers need it not.
    turn: Mutex<()>,
    published: Mutex<Arc<Contents>>,
}

impl Backend for MemoryBackend {
    fn origin(&self) -> &str {
        "memory"
    }

    fn read(&self) -> Result<Arc<dyn View + '_>, StoreError> {
        Ok(self.last())
    }

    fn examine(&self) -> Result<(Arc<dyn View + '_>, Vec<Damage>), StoreError> {
        Ok((self.read()?, Vec::new()))
    }

    fn repair(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        self.write(change)
    }

    fn write(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        self.publish(Contents::clone, change);
        Ok(())
    }

    fn replace(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        self.publish(|_| Contents::default(), change);
        Ok(())
    }
}

impl MemoryBackend {
    fn last(&self) -> Arc<Contents> {
        Arc::clone(&self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, start: impl FnOnce(&Contents) -> Contents, change: &mut Change<'_>) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = start(&self.last());
        if change(&mut next) == Decision::Commit {
            // From here on everybody sees the change.
            *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        }
    }
}
