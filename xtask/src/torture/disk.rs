//! A small file system that is filled until only a few pages are free.
//!
//! Deliberately absent: a way around the permission that mounting needs; without it this part is left out.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Result, files};

use super::process;
use super::site::Site;

/// So many pages are free at most: enough for any scene's command to succeed.
pub(super) const MOST_PAGES: usize = 16;
const SIZE: &str = "size=1m";
const PAGE: usize = 4096;
/// The file that takes the room.
const BALLAST: &str = "ballast";

/// A mounted file system, until this value is dropped.
#[derive(Debug)]
pub(super) struct Disk {
    directory: TempDir,
}

impl Disk {
    /// Mounts one; an error tells why that cannot be.
    pub(super) fn mount() -> Result<Self> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(directory.path());
        process::run(command)?.success("mount -t tmpfs")?;
        Ok(Self { directory })
    }

    /// A site on it.
    pub(super) fn site(&self, toy: &Path) -> Result<Site> {
        Site::new(&self.directory.path().join("site"), toy)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Nothing else can be done: the directory is temporary either way.
        let _ = Command::new("umount").arg(self.directory.path()).status();
    }
}

/// Takes all room but so many pages.
pub(super) fn fill(site: &Site, free: usize) -> Result<()> {
    let failed = |error: std::io::Error| format!("cannot fill the small disk: {error}");
    let mut ballast = File::create(site.path(BALLAST)).map_err(failed)?;
    let mut pages = 0;
    while ballast.write_all(&[0; PAGE]).is_ok() {
        pages += 1;
    }
    let kept = usize::checked_sub(pages, free).ok_or("the small disk is too small for the scene")?;
    ballast.set_len((kept * PAGE) as u64).map_err(failed)
}

/// Gives the room back.
pub(super) fn clear(site: &Site) -> Result<()> {
    files::remove_file(&site.path(BALLAST))
}
