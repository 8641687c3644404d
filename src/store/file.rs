//! Files that are replaced as a whole, and the lock that makes writers take turns.
//!
//! Deliberately absent: what is in them. Lock files too: the lock is the operating system's, on the file itself,
//! and goes with the process that holds it.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
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
    move |source| StoreError::Io { action, path, source }
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
    // A symbolic link stays one: what it names is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(metadata) if !metadata.is_file() => fs::write(&target, bytes).map_err(io_error("write", path)),
        _ => replace_file(&target, bytes, mode),
    }
}

fn replace_file(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
    let file = temporary(path, bytes, mode)?;
    // From here on everybody sees the new bytes.
    file.persist(path).map_err(|error| io_error("replace", path)(error.error))?;
    sync_directory(path)
}

/// Makes a file unless there is one; in either case there is one afterwards.
fn create(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    match temporary(path, bytes, Mode::Plain)?.persist_noclobber(path) {
        Ok(_) => sync_directory(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_error("create", path)(error.error)),
    }
}

/// A flushed file with these bytes in the directory of `path`. It removes itself unless it is given a name.
fn temporary(path: &Path, bytes: &[u8], mode: Mode) -> Result<tempfile::NamedTempFile, StoreError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".toy-").suffix(".new");
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(Permissions::from_mode(if mode == Mode::Executable { 0o777 } else { 0o666 }))
    };
    let mut file = builder.tempfile_in(directory(path)).map_err(io_error("create a file beside", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.as_file().sync_all().map_err(io_error("flush", path))?;
    Ok(file)
}

/// The directory that holds a file.
pub fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a new name in a directory last.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
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
}

impl Locked {
    /// Waits until nobody else holds the file. A file that is missing is made with `initial`, or is an error
    /// (`None`) for those who want an existing one.
    ///
    /// The lock is on the file, not on its name: whoever waited while another process replaced the file holds
    /// the lock of a file without a name, and must wait for the new one.
    pub fn acquire(path: &Path, initial: Option<&[u8]>) -> Result<Option<Self>, StoreError> {
        loop {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => match initial {
                    None => return Ok(None),
                    Some(bytes) => {
                        create(path, bytes)?;
                        continue;
                    }
                },
                Err(error) => return Err(io_error("open", path)(error)),
            };
            file.lock().map_err(io_error("lock", path))?;
            let locked = file.try_clone().and_then(same_file::Handle::from_file);
            if locked
                .is_ok_and(|locked| same_file::Handle::from_path(path).is_ok_and(|named| named == locked))
            {
                return Ok(Some(Self { file, path: path.to_owned() }));
            }
        }
    }

    /// Reads the whole file.
    pub fn read(&self) -> Result<Vec<u8>, StoreError> {
        read_all(&self.file, &self.path)
    }

    /// Replaces the file and lets the next one have it.
    pub fn replace(self, bytes: &[u8]) -> Result<(), StoreError> {
        replace(&self.path, bytes, Mode::Plain)
    }
}
