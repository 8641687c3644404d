//! Files that are replaced as a whole, and the lock that makes writers take turns.
//!
//! Deliberately absent: what is in them. Lock files too: the lock is the operating system's, on the file itself,
//! and goes with the process that holds it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// Files larger than this are not read: they are not ours, or should be in another kind of store.
const MAX_SIZE: u64 = 1 << 30;

/// Whether a new file is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A file to read.
    Plain,
    /// A file to run: it gets the run bits that the umask allows.
    Executable,
}

/// Attaches what was tried, and with which file, to an error of the operating system.
pub fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::Io { action, path, source: system_error(error) }
}

/// The system's own words, without what a library wrapped around them, such as the name of a temporary file.
fn system_error(error: io::Error) -> io::Error {
    let mut inner = error.get_ref().map(|inner| inner as &dyn Error);
    while let Some(cause) = inner {
        if let Some(code) = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        inner = cause.source();
    }
    error
}

/// Reads a whole file. `None` when there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match File::open(path) {
        Ok(file) => read_all(&file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("open", path)(error)),
    }
}

fn read_all(mut file: &File, path: &Path) -> Result<Vec<u8>, StoreError> {
    let size = file.metadata().map_err(io_error("read", path))?.len();
    let mut bytes = Vec::with_capacity(size.min(MAX_SIZE) as usize);
    (&mut file).take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    if bytes.len() as u64 > MAX_SIZE {
        let too_large = io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB");
        return Err(io_error("read", path)(too_large));
    }
    Ok(bytes)
}

/// Puts a file in place of an older one: readers and later processes see the old bytes or the new ones, whole.
/// What is no regular file, such as a terminal or `/dev/null`, is written to directly.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => fs::write(path, bytes).map_err(io_error("write", path)),
        // A symbolic link stays one: what it names is replaced.
        _ => replace_file(&follow(path), bytes, mode),
    }
}

/// The path that a symbolic link leads to in the end, also when there is nothing yet.
fn follow(path: &Path) -> PathBuf {
    // What is there and has no path, such as a pipe below `/proc`, is best called as the user calls it.
    if let (Ok(_), target) = (fs::metadata(path), fs::canonicalize(path)) {
        return target.unwrap_or_else(|_| path.to_owned());
    }
    let mut target = path.to_owned();
    // So many links the system follows itself.
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&target) else { break };
        target = directory(&target).join(next);
    }
    target
}

fn replace_file(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
    let file = temporary(path, bytes, mode)?;
    // From here on everybody sees the new bytes.
    file.persist(path).map_err(|error| io_error("replace", path)(error.error))?;
    sync_directory(path)
}

/// Makes a file unless there is one; in either case there is one afterwards. Says whether it was made.
fn create(path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
    let target = follow(path);
    match temporary(&target, bytes, Mode::Plain)?.persist_noclobber(&target) {
        Ok(_) => sync_directory(&target).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("create", path)(error.error)),
    }
}

/// How the names of files start and end that are not yet what they will be. A killed process may leave one; it is
/// in nobody's way.
const TEMPORARY: [&str; 2] = [".toy-", ".new"];

/// Whether a file is one that a process of ours is writing, or was when it was killed.
pub fn is_temporary(path: &Path) -> bool {
    let [start, end] = TEMPORARY;
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(start) && name.ends_with(end))
}

/// A flushed file with these bytes in the directory of `path`. It removes itself unless it is given a name.
fn temporary(path: &Path, bytes: &[u8], mode: Mode) -> Result<tempfile::NamedTempFile, StoreError> {
    let [start, end] = TEMPORARY;
    let old = fs::metadata(path).ok();
    let mut file = tempfile::Builder::new()
        .prefix(start)
        .suffix(end)
        .make_in(directory(path), |name| create_new(name, bits(old.as_ref(), mode)))
        .map_err(io_error("create a file beside", path))?;
    if let Some(old) = old {
        take_after(file.as_file(), &old, mode).map_err(io_error("set the permissions of", path))?;
    }
    // Not through the wrapper, whose errors name the temporary file.
    file.as_file_mut().write_all(bytes).map_err(io_error("write", path))?;
    file.as_file().sync_all().map_err(io_error("flush", path))?;
    Ok(file)
}

/// An empty file in the directory of `path`, with the permissions of what is there, that goes unless it is kept.
pub(super) fn scratch(path: &Path) -> Result<tempfile::NamedTempFile, StoreError> {
    temporary(path, b"", Mode::Plain)
}

/// The permission bits of a file to be made: those of the one that it replaces, else what the umask allows.
fn bits(old: Option<&fs::Metadata>, mode: Mode) -> u32 {
    #[cfg(unix)]
    let bits = old.map_or(0o666, |old| std::os::unix::fs::PermissionsExt::mode(&old.permissions()) & 0o777);
    #[cfg(not(unix))]
    let bits = old.map_or(0o666, |_| 0o666);
    // Whoever may read a program may run it.
    if mode == Mode::Executable { bits | (bits & 0o444) >> 2 } else { bits }
}

#[cfg_attr(not(unix), allow(unused_variables, reason = "only Unix has permission bits"))]
fn create_new(name: &Path, bits: u32) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, bits);
    options.open(name)
}

/// Gives a new file the owner and the permissions of the one that it replaces.
#[cfg(unix)]
fn take_after(file: &File, old: &fs::Metadata, mode: Mode) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Most users may not give files away: then it stays theirs.
        _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(bits(Some(old), mode)))
}

#[cfg(not(unix))]
fn take_after(_: &File, _: &fs::Metadata, _: Mode) -> io::Result<()> {
    Ok(())
}

/// The directory that holds a file.
pub fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A path as people write it: what lies in the current directory has no `./` in front.
pub fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path)
}

/// Makes a new name in a directory last.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // Only Unix lets a directory be opened and flushed.
    if cfg!(unix) {
        let directory = directory(path);
        File::open(directory).and_then(|opened| opened.sync_all()).map_err(io_error("flush", directory))?;
    }
    Ok(())
}

/// A file that this process alone may replace, until this value is dropped.
#[derive(Debug)]
pub struct Locked {
    file: File,
    path: PathBuf,
    /// Whether the file was made only to be locked.
    is_new: bool,
}

impl Locked {
    /// Waits until nobody else holds the file. A file that is missing is made with `initial`, or is an error
    /// (`None`) for those who want an existing one.
    ///
    /// The lock is on the file, not on its name: whoever waited while another process replaced the file holds
    /// the lock of a file without a name, and must wait for the new one.
    pub fn acquire(path: &Path, initial: Option<&[u8]>) -> Result<Option<Self>, StoreError> {
        let mut is_new = false;
        loop {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => match initial {
                    None => return Ok(None),
                    Some(bytes) => {
                        is_new = create(path, bytes)?;
                        continue;
                    }
                },
                Err(error) => return Err(io_error("open", path)(error)),
            };
            file.lock().map_err(io_error("lock", path))?;
            if is_named(&file, path).map_err(io_error("lock", path))? {
                return Ok(Some(Self { file, path: path.to_owned(), is_new }));
            }
        }
    }

    /// Reads the whole file.
    pub fn read(&self) -> Result<Vec<u8>, StoreError> {
        (&self.file).rewind().map_err(io_error("read", &self.path))?;
        read_all(&self.file, &self.path)
    }

    /// Leaves things as they were: a file that was made for this lock, and still is `initial`, goes again.
    pub fn give_up(self, initial: &[u8]) -> Result<(), StoreError> {
        if self.is_new && self.read()? == initial {
            // Whoever waits for the lock finds the name gone and starts anew.
            fs::remove_file(&self.path).map_err(io_error("remove", &self.path))?;
        }
        Ok(())
    }

    /// Replaces the file and lets the next one have it.
    pub fn replace(self, bytes: &[u8]) -> Result<(), StoreError> {
        replace(&self.path, bytes, Mode::Plain)
    }
}

/// Whether the file has this name still.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let locked = same_file::Handle::from_file(file.try_clone()?)?;
    match same_file::Handle::from_path(path) {
        Ok(named) => Ok(named == locked),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
