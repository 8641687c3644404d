//! Brings what a large change has written to the disk while the change goes on, so that its end has less to wait for.
//!
//! Nothing relies on it: the commit flushes everything, and meets what is wrong.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::connection::{Identity, Inode};

/// A thread that flushes a file whenever it is told to.
#[derive(Debug)]
pub(super) struct Ahead {
    nudge: SyncSender<()>,
}

impl Ahead {
    /// A thread for the file at `path`, if the system has one to spare.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file = opened(path)?;
        let (nudge, nudges) = mpsc::sync_channel(1);
        let flush = move || nudges.into_iter().for_each(|()| _ = file.sync_data());
        thread::Builder::new().name("ahead".to_owned()).spawn(flush).ok()?;
        Some(Self { nudge })
    }

    /// Has flushed what is written by now. Nobody waits: while it flushes, one more nudge is remembered.
    pub(super) fn nudge(&self) {
        _ = self.nudge.try_send(());
    }
}

/// The file at `path`. It stays open as long as this process: to close it would take the library's locks away.
fn opened(path: &Path) -> Option<Arc<File>> {
    static OPEN: Mutex<BTreeMap<Inode, Arc<File>>> = Mutex::new(BTreeMap::new());
    let inode = Identity::of(path).ok()??.inode?;
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = open.get(&inode) {
        return Some(Arc::clone(file));
    }
    let file = Arc::new(File::open(path).ok()?);
    // Should another file have come to the path meanwhile, it is that one which stays open, under the name of the first.
    open.insert(inode, Arc::clone(&file));
    Some(file)
}
