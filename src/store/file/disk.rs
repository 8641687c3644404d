//! The calls of the system that change a file or its name: nothing else in the store makes one.
//!
//! Tests take a note of each, and look at what is left when the power fails after it (`power`).

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use tempfile::{NamedTempFile, PersistError};

#[cfg(test)]
use super::power::{Step, note};

/// Makes a file that is not there yet, with these permission bits.
#[cfg_attr(not(unix), allow(unused_variables, reason = "only Unix has permission bits"))]
pub(super) fn create(path: &Path, bits: u32) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, bits);
    let file = options.open(path)?;
    #[cfg(test)]
    note(Step::Create(path.to_owned()));
    Ok(file)
}

/// Makes a directory, unless somebody else just did.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path).or_else(|error| if path.is_dir() { Ok(()) } else { Err(error) })?;
    #[cfg(test)]
    note(Step::CreateDirectory(path.to_owned()));
    Ok(())
}

/// Writes to a file where it stands: at first, and after another call, behind what was written last.
pub(super) fn write(file: &mut NamedTempFile, bytes: &[u8]) -> io::Result<()> {
    #[cfg(test)]
    let at = file.as_file_mut().stream_position()?;
    // Not through the wrapper, whose errors name the temporary file.
    file.as_file_mut().write_all(bytes)?;
    #[cfg(test)]
    note(Step::Write(file.path().to_owned(), at, bytes.to_owned()));
    Ok(())
}

/// Writes to a place in a file. What is not written before it is zeros.
pub(super) fn write_at(file: &mut NamedTempFile, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.as_file_mut().seek(SeekFrom::Start(at))?;
    write(file, bytes)
}

/// Makes what was written to a file last.
pub(super) fn flush(file: &NamedTempFile) -> io::Result<()> {
    file.as_file().sync_all()?;
    #[cfg(test)]
    note(Step::Flush(file.path().to_owned()));
    Ok(())
}

/// Gives a file a name, in place of whatever has it.
pub(super) fn rename(file: NamedTempFile, path: &Path) -> io::Result<()> {
    #[cfg(test)]
    let from = file.path().to_owned();
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(test)]
    note(Step::Rename(from, path.to_owned()));
    Ok(())
}

/// Gives a file a name that nothing has yet; else it is given back.
pub(super) fn rename_new(file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    #[cfg(test)]
    let from = file.path().to_owned();
    file.persist_noclobber(path)?;
    #[cfg(test)]
    note(Step::Rename(from, path.to_owned()));
    Ok(())
}

/// Makes the names in a directory last. Only Unix lets a directory be opened and flushed.
pub(super) fn flush_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    #[cfg(test)]
    note(Step::FlushDirectory(directory.to_owned()));
    Ok(())
}

/// Takes a file's name away.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    #[cfg(test)]
    note(Step::Remove(path.to_owned()));
    Ok(())
}
