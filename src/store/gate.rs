//! The gate of a directory: keeps garbage collection apart from compilers whose tickets are not there yet.
//!
//! It is the operating system's advisory lock on the directory itself, goes with its process, and leaves no file.
//! Deliberately absent: systems other than Unix, where a directory has no lock: there the gate is always open.

use std::path::Path;

use super::error::StoreError;

/// A lock on a directory, until it is dropped.
#[derive(Debug)]
pub struct Gate {
    #[cfg(unix)]
    _directory: std::fs::File,
}

/// Who may be inside with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// Others who want company too.
    Shared,
    /// Nobody.
    Alone,
}

impl Gate {
    /// Waits until the gate of `directory` lets us in.
    #[cfg(unix)]
    pub fn enter(directory: &Path, company: Company) -> Result<Self, StoreError> {
        let enter = || {
            let opened = std::fs::File::open(directory)?;
            match company {
                Company::Shared => opened.lock_shared()?,
                Company::Alone => opened.lock()?,
            }
            Ok(Self { _directory: opened })
        };
        enter().map_err(super::file::io_error("lock the directory", directory))
    }

    /// Waits for nobody.
    #[cfg(not(unix))]
    pub fn enter(_: &Path, _: Company) -> Result<Self, StoreError> {
        Ok(Self {})
    }
}
