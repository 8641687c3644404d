//! `NAME.to`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;

use super::emit::Emitter;
use crate::digest::{CompilationId, SourceDigest};
use crate::object::compilation::Ticket;
use crate::store::error::StoreError;
use crate::store::file;
use crate::store::seal::{self, Kind};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketWire {
    compilation: CompilationId,
    source: Option<SourceDigest>,
}

/// The bytes of a ticket's file.
pub fn to_yaml(ticket: &Ticket) -> String {
    let mut yaml = Emitter::default();
    yaml.plain(0, "compilation", ticket.compilation);
    if let Some(source) = ticket.source {
        yaml.plain(0, "source", source);
    }
    seal::seal(Kind::Ticket, &yaml.into_text(), 1)
}

/// Reads the bytes of a ticket's file.
pub fn from_yaml(path: &Path, bytes: &[u8]) -> Result<Ticket, StoreError> {
    if let Some(ticket) = as_spelled(bytes) {
        return Ok(ticket);
    }
    let unsealed = seal::unseal(Kind::Ticket, path, bytes)?;
    let wire: TicketWire = unsealed.parse(Kind::Ticket)?;
    unsealed.expect_entries(Kind::Ticket, 1)?;
    let TicketWire { compilation, source } = wire;
    Ok(Ticket { compilation, source })
}

/// The ticket of a file that has the very bytes of [`to_yaml`], as most have: they need no parser, which takes ten times as
/// long.
fn as_spelled(bytes: &[u8]) -> Option<Ticket> {
    let text = str::from_utf8(bytes).ok()?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    let compilation = value("compilation")?.parse().ok()?;
    let source = value("source").map(str::parse).transpose().ok()?;
    let ticket = Ticket { compilation, source };
    (to_yaml(&ticket) == text).then_some(ticket)
}

/// Writes a ticket in place of what is at `path`. Where it is already, it only becomes as new as if it were written.
pub fn write(path: &Path, ticket: &Ticket) -> Result<(), StoreError> {
    let text = to_yaml(ticket);
    // Whatever kept the old one from becoming new, writing it will tell.
    match renew(path, text.as_bytes()) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => seal::write(Kind::Ticket, path, text.as_bytes()),
    }
}

/// Makes a regular file new if it has these bytes; says whether it has.
fn renew(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let file = File::open(path)?;
    let mut found = Vec::with_capacity(bytes.len() + 1);
    (&file).take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
    if found == bytes {
        touch(&file)?;
    }
    Ok(found == bytes)
}

/// Sets the time of the last change to that of the system that has the file, as a write would. Our own clock runs
/// ahead of it by some milliseconds: make would find that a file written right afterwards is older.
#[cfg(unix)]
fn touch(file: &File) -> io::Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
    let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps { last_access: at(UTIME_OMIT), last_modification: at(UTIME_NOW) };
    Ok(futimens(file, &times)?)
}

#[cfg(not(unix))]
fn touch(file: &File) -> io::Result<()> {
    file.set_modified(std::time::SystemTime::now())
}

/// The ticket that is at `path` already, if there is one that can be read. Only a regular file is opened.
pub fn existing(path: &Path) -> Option<Ticket> {
    /// No ticket is as long, in bytes.
    const MOST: u64 = 1024;
    let metadata = fs::metadata(path).ok()?;
    let is_one = metadata.is_file() && metadata.len() <= MOST;
    is_one.then(|| read(path).ok()).flatten()
}

/// Reads the ticket at `path`.
pub fn read(path: &Path) -> Result<Ticket, StoreError> {
    let missing = || StoreError::NotFound {
        what: "ticket",
        path: path.to_owned(),
        help: "`toy compile` makes it from the source",
    };
    from_yaml(path, &file::read(path)?.ok_or_else(missing)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_in_another_spelling_is_read_by_the_library() {
        let compilation = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff".parse().unwrap();
        let ticket = Ticket { compilation, source: None };
        let spelled = to_yaml(&ticket);
        assert_eq!(as_spelled(spelled.as_bytes()), Some(ticket));
        let read = |text: &str| from_yaml(Path::new("a.to"), text.as_bytes());
        let quoted = seal::seal(Kind::Ticket, &format!("compilation: \"{compilation}\"\n"), 1);
        assert_eq!((as_spelled(quoted.as_bytes()), read(&quoted).ok()), (None, Some(ticket)));
        let changed = spelled.replacen("0011", "0012", 1);
        assert_eq!((as_spelled(changed.as_bytes()), read(&changed).ok()), (None, None));
    }
}
