//! Files and directories, with errors that name them.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Result;

fn named<T, E: Display>(verb: &str, path: &Path, result: Result<T, E>) -> Result<T> {
    result.map_err(|error| format!("cannot {verb} {}: {error}", path.display()))
}

/// The root of the project's checkout.
pub(crate) fn project_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    named("read", path, fs::read(path))
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    named("read", path, fs::read_to_string(path))
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    named("write", path, fs::write(path, contents))
}

/// Makes a file look as if it was just written.
pub(crate) fn touch(path: &Path) -> Result<()> {
    let touch = |file: fs::File| file.set_modified(SystemTime::now());
    named("touch", path, fs::File::options().append(true).open(path).and_then(touch))
}

/// Copies a file, and returns its size in bytes.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<u64> {
    named("copy", from, fs::copy(from, to))
}

/// The size of a file in bytes.
pub(crate) fn size(path: &Path) -> Result<u64> {
    named("read", path, fs::metadata(path)).map(|metadata| metadata.len())
}

/// Makes a directory and all above it.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    named("make", path, fs::create_dir_all(path))
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    named("remove", path, fs::remove_file(path))
}

/// Removes a directory and all in it; none is fine.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    if path.exists() { named("remove", path, fs::remove_dir_all(path)) } else { Ok(()) }
}

/// Makes a directory that has nothing in it.
pub(crate) fn make_empty_directory(path: &Path) -> Result<()> {
    remove_directory(path)?;
    make_directory(path)
}
