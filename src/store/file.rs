//! Files that are replaced as a whole, and the lock that makes writers take turns.
//!
//! Deliberately absent: what is in them. Lock files too: the lock is the operating system's, on the file itself,
//! and goes with the process that holds it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::ahead::{Ahead, WORTH};
use super::error::StoreError;

mod disk;
#[cfg(test)]
pub(crate) mod power;

/// Files larger than this are not read: they are not ours, or should be in another kind of store.
const MAX_SIZE: u64 = 1 << 30;

/// No more is read from a pipe or a device, which does not say how much it will be.
const MAX_STREAM: u64 = 1 << 26;

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

/// Reads a whole file. `None` when there is none. A pipe or a device, which may never end, is an error.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match open(path) {
        Ok(file) => read_all(&file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("open", path)(error)),
    }
}

/// Reads a file, or a pipe or device up to its end, as a source may be. `None` when there is none.
pub fn read_any(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !is_plain(&metadata) => {
            let stream = File::open(path).map_err(io_error("open", path))?;
            read_stream(stream, path).map(Some)
        }
        _ => read(path),
    }
}

/// Reads a pipe or device up to its end, if that comes within 64 MiB. `path` is how messages call it.
pub fn read_stream(stream: impl Read, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    stream.take(MAX_STREAM + 1).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    if bytes.len() as u64 > MAX_STREAM {
        return Err(io_error("read", path)(too_large("a pipe or device may give 64 MiB")));
    }
    Ok(bytes)
}

/// Opens what can be read to an end: opening a pipe waits until somebody writes to it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if is_plain(&fs::metadata(path)?) {
        return File::open(path);
    }
    Err(not_a_file())
}

/// What is said of something that may never end.
pub(super) fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe, a socket or a device, not a file")
}

/// Whether something is a file, or a directory, of which the system itself says that it is none.
fn is_plain(metadata: &fs::Metadata) -> bool {
    metadata.is_file() || metadata.is_dir()
}

/// Whether two paths lead to one file.
pub fn is_same(first: &Path, second: &Path) -> bool {
    // To compare files they are opened.
    let can_open = |path: &Path| fs::metadata(path).is_ok_and(|metadata| is_plain(&metadata));
    let is_one = || same_file::is_same_file(first, second).unwrap_or(false);
    first == second || can_open(first) && can_open(second) && is_one()
}

/// Reads a file from where it stands to its end. `path` is how messages call it.
pub(super) fn read_all(mut file: &File, path: &Path) -> Result<Vec<u8>, StoreError> {
    let failed = || io_error("read", path);
    let size = file.metadata().map_err(failed())?.len();
    let mut bytes = Vec::new();
    if size <= MAX_SIZE {
        bytes.try_reserve_exact(size as usize).map_err(|error| failed()(error.into()))?;
        // It may grow while it is read.
        (&mut file).take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed())?;
    }
    if size.max(bytes.len() as u64) > MAX_SIZE {
        return Err(failed()(too_large("the limit is 1 GiB")));
    }
    Ok(bytes)
}

fn too_large(limit: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is too large: {limit}"))
}

/// Puts a file in place of an older one: readers and later processes see the old bytes or the new ones, whole.
/// What is no regular file, such as a terminal or `/dev/null`, is written to directly.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => write_through(path, &[bytes]).map_err(io_error("write", path)),
        // A symbolic link stays one: what it names is replaced.
        _ => {
            let target = follow(path);
            publish(temporary(&target, mode, |file| disk::write(file, bytes))?, &target)
        }
    }
}

/// A file whose first and last bytes depend on all between them.
#[derive(Debug)]
pub struct Framed<'p, E, M> {
    /// The number of the first bytes.
    pub room: usize,
    /// The bytes between them, one piece behind the other.
    pub pieces: &'p [&'p [u8]],
    /// Makes both ends, and something for who writes the file.
    pub ends: E,
    /// What is done while the disk works.
    pub meanwhile: M,
}

/// A file that was replaced, if there was one. The system gives its space back when this is dropped, which takes a while.
#[derive(Debug)]
pub struct Replaced(#[allow(dead_code, reason = "it is kept only to be dropped")] Option<File>);

/// Like [`replace`], with a file whose ends are made while the rest is written.
pub fn replace_framed<T: Send>(
    path: &Path,
    framed: Framed<'_, impl FnOnce() -> ([Vec<u8>; 2], T) + Send, impl FnOnce() + Send>,
    mode: Mode,
) -> Result<(T, Replaced), StoreError> {
    let Framed { room, pieces, ends, meanwhile } = framed;
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let ([head, tail], made) = ends();
            let all = [&[&*head], pieces, &[&*tail]].concat();
            write_through(path, &all).map_err(io_error("write", path)).map(|()| (made, Replaced(None)))
        }
        _ => {
            let (target, mut made) = (follow(path), None);
            let fill = |file: &mut tempfile::NamedTempFile| {
                let between = || {
                    disk::write_at(file, room as u64, &[])?;
                    write_pieces(file, pieces)
                };
                let (written, ([head, tail], value)) = rayon::join(between, ends);
                made = Some(value);
                written.and_then(|()| disk::write(file, &tail)).and_then(|()| disk::write_at(file, 0, &head))
            };
            let new = filled(&target, mode, fill)?;
            let (flushed, ()) = rayon::join(|| disk::flush(&new), meanwhile);
            flushed.map_err(io_error("flush", path))?;
            // Elsewhere no file can be replaced that is open.
            let old = if cfg!(unix) { File::open(&target).ok() } else { None };
            publish(new, &target)?;
            let made = made.ok_or_else(|| io_error("write", path)(io::ErrorKind::Other.into()))?;
            Ok((made, Replaced(old)))
        }
    }
}

/// Writes one piece behind the other, and has what is much flushed on the way.
fn write_pieces(file: &mut tempfile::NamedTempFile, pieces: &[&[u8]]) -> io::Result<()> {
    let (mut ahead, mut written) = (None, 0);
    for piece in pieces {
        disk::write(file, piece)?;
        written += piece.len();
        if written >= WORTH {
            written = 0;
            ahead = ahead.or_else(|| Ahead::of(File::open(file.path()).ok()?.into()));
            ahead.iter().for_each(Ahead::nudge);
        }
    }
    Ok(())
}

/// Writes to what is no regular file.
fn write_through(path: &Path, pieces: &[&[u8]]) -> io::Result<()> {
    let mut file = File::create(path)?;
    pieces.iter().try_for_each(|piece| file.write_all(piece))
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

/// Gives a flushed file its name.
fn publish(file: tempfile::NamedTempFile, path: &Path) -> Result<(), StoreError> {
    // From here on everybody sees the new bytes.
    disk::rename(file, path).map_err(io_error("replace", path))?;
    sync_directory(path)
}

/// Flushes a [`scratch`] file that others wrote to, and puts it in place of what is at `path`. What lies at `beside`
/// belongs to the old file, and goes with it.
pub(super) fn install(file: tempfile::NamedTempFile, path: &Path, beside: &Path) -> Result<(), StoreError> {
    disk::flush(&file).map_err(io_error("flush", path))?;
    match disk::remove(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", beside)(error)),
        _ => publish(file, path),
    }
}

/// Makes a file unless there is one; in either case there is one afterwards. Says whether it was made.
fn create(path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
    let target = follow(path);
    match disk::rename_new(temporary(&target, Mode::Plain, |file| disk::write(file, bytes))?, &target) {
        Ok(()) => sync_directory(&target).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("create", path)(error.error)),
    }
}

/// Flushes a [`scratch`] file that others wrote to, and gives it a name, unless something has it: then it is given
/// back.
pub(super) fn install_new(
    file: tempfile::NamedTempFile,
    path: &Path,
) -> Result<Option<tempfile::NamedTempFile>, StoreError> {
    disk::flush(&file).map_err(io_error("flush", path))?;
    match disk::rename_new(file, path) {
        // From here on everybody sees it.
        Ok(()) => sync_directory(path).map(|()| None),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(Some(error.file)),
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

/// A flushed file with what `fill` writes in the directory of `path`. It removes itself unless it is given a name.
fn temporary(
    path: &Path,
    mode: Mode,
    fill: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>,
) -> Result<tempfile::NamedTempFile, StoreError> {
    let file = filled(path, mode, fill)?;
    disk::flush(&file).map_err(io_error("flush", path))?;
    Ok(file)
}

/// The same, not flushed yet.
fn filled(
    path: &Path,
    mode: Mode,
    fill: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>,
) -> Result<tempfile::NamedTempFile, StoreError> {
    let [start, end] = TEMPORARY;
    let old = fs::metadata(path).ok();
    let mut file = tempfile::Builder::new()
        .prefix(start)
        .suffix(end)
        .make_in(directory(path), |name| disk::create(name, bits(old.as_ref(), mode)))
        .map_err(io_error("create a file beside", path))?;
    if let Some(old) = old {
        take_after(file.as_file(), &old, mode).map_err(io_error("set the permissions of", path))?;
    }
    fill(&mut file).map_err(io_error("write", path))?;
    Ok(file)
}

/// An empty file in the directory of `path`, with the permissions of what is there, that goes unless it is kept.
pub(super) fn scratch(path: &Path) -> Result<tempfile::NamedTempFile, StoreError> {
    temporary(path, Mode::Plain, |_| Ok(()))
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

/// Makes a directory that lasts, and those above it, as far as they are missing.
pub fn create_directory(path: &Path) -> Result<(), StoreError> {
    let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.is_dir());
    for path in missing.collect::<Vec<_>>().into_iter().rev() {
        disk::create_directory(path).map_err(io_error("create the directory", path))?;
        sync_directory(path)?;
    }
    Ok(())
}

/// Makes a new name in a directory last.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = directory(path);
    disk::flush_directory(directory).map_err(io_error("flush", directory))
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
            let file = match open(path) {
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
            disk::remove(&self.path).map_err(io_error("remove", &self.path))?;
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
