//! Brings what is written of a large file to the disk while more is written, so that its end has less to wait for.
//!
//! Nothing relies on it: who needs a file to last flushes all of it, and meets what is wrong.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

/// So many bytes are worth to be flushed before the end.
pub const WORTH: usize = 4 << 20;

/// A thread that flushes a file whenever it is told to.
#[derive(Debug)]
pub struct Ahead {
    nudge: SyncSender<()>,
}

impl Ahead {
    /// A thread for a file, if the system has one to spare. The file must have been opened by itself, and not be a clone of
    /// the one that is flushed at the end: the system tells each opened file of what could not be written once, and what this
    /// one is told nobody hears.
    pub fn of(file: Arc<File>) -> Option<Self> {
        let (nudge, nudges) = mpsc::sync_channel(1);
        let flush = move || nudges.into_iter().for_each(|()| _ = file.sync_data());
        thread::Builder::new().name("ahead".to_owned()).spawn(flush).ok()?;
        Some(Self { nudge })
    }

    /// Has flushed what is written by now. Nobody waits: while it flushes, one more nudge is remembered.
    pub fn nudge(&self) {
        _ = self.nudge.try_send(());
    }
}
