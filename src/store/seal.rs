//! What a file of ours is; and the frame of the YAML ones: a header that says so, and a trailer that tells damage.
//!
//! ```yaml
//! toy: ticket
//! version: 1
//! …
//! trailer:
//!   entries: 1
//!   digest: <BLAKE3 of every byte before the trailer>
//! ```
//!
//! A file cut short at any byte lacks its trailer or a part of it; a changed byte does not fit the digest.
//! Deliberately absent: the frame of the binary executable, which is in its room.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use miette::NamedSource;

use super::database;
use super::error::{DamagedFile, StoreError};
use super::file::{self, Framed, Mode, Replaced, io_error};
use super::shape::odd_line;
use crate::source::is_visible;

/// The version of all YAML formats.
pub const VERSION: u32 = 1;

/// The first line of an executable, so that it runs by its name.
pub(super) const INTERPRETER: &str = "#!/usr/bin/env toyvm\n";

/// The second line of an executable in its binary form. Its first byte stands in no text.
pub(super) const BINARY: &[u8] = b"\x7ftoy.tx\n";

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program repository.
    Repository,
    /// An object file, which names a compilation.
    Ticket,
    /// A linked program.
    Executable,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Repository, Self::Ticket, Self::Executable];

    const fn word(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Ticket => "ticket",
            Self::Executable => "executable",
        }
    }

    /// The kind with an article, for messages.
    pub const fn described(self) -> &'static str {
        match self {
            Self::Repository => "a repository",
            Self::Ticket => "a ticket",
            Self::Executable => "an executable",
        }
    }

    fn header(self) -> String {
        let interpreter = if self == Self::Executable { INTERPRETER } else { "" };
        format!("{interpreter}toy: {}\nversion: {VERSION}\n", self.word())
    }
}

/// Says what a file is by its first lines, whatever the rest is like.
pub fn identify(bytes: &[u8]) -> Option<Kind> {
    let rest = bytes.strip_prefix(INTERPRETER.as_bytes()).unwrap_or(bytes);
    if rest.starts_with(BINARY) {
        return Some(Kind::Executable);
    }
    if database::is_repository(bytes) {
        return Some(Kind::Repository);
    }
    let rest = rest.strip_prefix(b"toy: ")?;
    Kind::ALL.into_iter().find(|kind| {
        rest.strip_prefix(kind.word().as_bytes())
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'\n' | b'\r')))
    })
}

/// Whether a file starts as a binary executable does, as far as there is a file.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(INTERPRETER.as_bytes()).unwrap_or(bytes);
    let start = &rest[..rest.len().min(BINARY.len())];
    !start.is_empty() && BINARY.starts_with(start)
}

/// Says what the file at `path` is by its first lines. A file that is not there is nothing of ours.
pub fn identify_file(path: &Path) -> Result<Option<Kind>, StoreError> {
    Ok(start_of(path)?.and_then(|start| identify(&start)))
}

/// So many bytes say what a file is.
const START: u64 = 100;

/// The beginning of a file, if there is one. What is no file has none.
pub(super) fn start_of(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(Opened::open(path)?.map(|opened| opened.start))
}

/// A file that was opened, and read so far that one knows what it is. Whoever removes or replaces the file from now
/// on changes nothing of what is read here.
#[derive(Debug)]
pub struct Opened {
    file: File,
    start: Vec<u8>,
}

impl Opened {
    /// Opens the file at `path`, if there is one.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let opened = file::open(path).and_then(|file| {
            let mut start = Vec::with_capacity(START as usize);
            (&file).take(START).read_to_end(&mut start)?;
            Ok(Self { file, start })
        });
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", path)(error)),
        }
    }

    /// What the file is.
    pub fn kind(&self) -> Option<Kind> {
        identify(&self.start)
    }

    /// The whole file. `path` is how messages call it.
    pub fn read(mut self, path: &Path) -> Result<Vec<u8>, StoreError> {
        self.file.rewind().map_err(io_error("read", path))?;
        file::read_all(&self.file, path)
    }
}

/// Refuses to let a new file of kind `new` (`None`: one that is not sealed) replace something else of ours, which a
/// slip of the pen must not destroy.
pub fn refuse_to_overwrite(path: &Path, new: Option<Kind>) -> Result<(), StoreError> {
    if !path.is_file() {
        return Ok(());
    }
    match identify_file(path)? {
        Some(found) if Some(found) != new => {
            let new = new.map_or("something else", Kind::described);
            Err(StoreError::Overwrites { path: path.to_owned(), found: found.described(), new })
        }
        _ => Ok(()),
    }
}

/// Writes a sealed file in place of what is at `path`.
pub fn write(kind: Kind, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    refuse_to_overwrite(path, Some(kind))?;
    file::replace(path, bytes, mode(kind))
}

/// Writes a sealed file whose ends depend on all between them. Gives what `ends` gives beside them.
pub(super) fn write_framed<T: Send>(
    kind: Kind,
    path: &Path,
    framed: Framed<'_, impl FnOnce() -> ([Vec<u8>; 2], T) + Send, impl FnOnce() + Send>,
) -> Result<(T, Replaced), StoreError> {
    refuse_to_overwrite(path, Some(kind))?;
    file::replace_framed(path, framed, mode(kind))
}

const fn mode(kind: Kind) -> Mode {
    match kind {
        Kind::Executable => Mode::Executable,
        Kind::Repository | Kind::Ticket => Mode::Plain,
    }
}

/// Puts header and trailer around the YAML text of a body.
pub fn seal(kind: Kind, body: &str, entries: usize) -> String {
    let mut text = kind.header();
    text.reserve(body.len() + 128);
    text.push_str(body);
    text.push_str(&trailer(&text, entries));
    text
}

fn trailer(before: &str, entries: usize) -> String {
    format!("{TRAILER}  entries: {entries}\n  digest: {}\n", blake3::hash(before.as_bytes()))
}

const TRAILER: &str = "trailer:\n";

/// A body whose header and trailer are right.
#[derive(Debug, Clone, Copy)]
pub struct Unsealed<'f> {
    /// The YAML text between header and trailer.
    pub body: &'f str,
    /// The number of entries that the trailer counts.
    pub entries: usize,
    file: &'f str,
    path: &'f Path,
}

/// Takes header and trailer off after holding them against the file.
pub fn unseal<'f>(kind: Kind, path: &'f Path, bytes: &'f [u8]) -> Result<Unsealed<'f>, StoreError> {
    check_header(kind, path, bytes)?;
    let file = std::str::from_utf8(bytes)
        .map_err(|error| damaged(kind, path, None, format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let header = kind.header();
    let cut = || damaged(kind, path, Some((file, file.len())), "it ends before its trailer does".into());
    let at = file.rfind(&format!("\n{TRAILER}")).ok_or_else(cut)? + 1;
    let count = file[at + TRAILER.len()..].strip_prefix("  entries: ").and_then(|rest| rest.split_once('\n'));
    let entries = count.and_then(|(count, _)| count.parse().ok()).ok_or_else(cut)?;
    let expected = trailer(&file[..at], entries);
    if file[at..] != expected {
        if expected.starts_with(&file[at..]) {
            return Err(cut());
        }
        let message = "its bytes do not fit the digest in its trailer".into();
        return Err(damaged(kind, path, Some((file, at)), message));
    }
    Ok(Unsealed { body: file.get(header.len()..at).unwrap_or_default(), entries, file, path })
}

fn check_header(kind: Kind, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let header = kind.header();
    if bytes.starts_with(header.as_bytes()) {
        return Ok(());
    }
    let (expected, path) = (kind.described(), path.to_owned());
    if header.as_bytes().starts_with(bytes) {
        return Err(damaged(kind, &path, None, "it ends before its trailer does".into()));
    }
    match identify(bytes) {
        found if found != Some(kind) => Err(StoreError::Kind { path, found, expected }),
        _ => match version(bytes) {
            Some(found) if found != VERSION.to_string() => {
                Err(StoreError::Version { path, found, expected: VERSION })
            }
            _ if bytes.windows(2).take(80).any(|pair| pair == b"\r\n") => {
                let message = "its lines end in CR LF, as some version control systems make them";
                Err(damaged(kind, &path, None, message.into()))
            }
            _ => Err(damaged(kind, &path, None, "its second line is not its version".into())),
        },
    }
}

/// Reads YAML of a given shape, if its lines are such as our writers make. Gives the offset of what is wrong.
pub(super) fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, (usize, String)> {
    if body.is_empty() {
        return serde_yaml::from_str("{}").map_err(|error| (0, error.to_string()));
    }
    if let Some(odd) = odd_line(body) {
        let before = body.split_inclusive('\n').take(odd - 1).map(str::len).sum();
        return Err((before, "a line is not as toy writes it".to_owned()));
    }
    serde_yaml::from_str(body)
        .map_err(|error| (error.location().map_or(0, |location| location.index()), message(&error)))
}

/// The version that the line behind the first of ours states: a number without superfluous digits.
fn version(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_prefix(INTERPRETER.as_bytes()).unwrap_or(bytes);
    let digits = bytes.split(|byte| *byte == b'\n').nth(1)?.strip_prefix(b"version: ")?;
    let number = std::str::from_utf8(digits).ok()?.parse::<u32>().ok()?.to_string();
    (number.as_bytes() == digits).then_some(number)
}

impl<'f> Unsealed<'f> {
    /// Holds the number of entries that was found against the one in the trailer.
    pub fn expect_entries(&self, kind: Kind, found: usize) -> Result<(), StoreError> {
        if found == self.entries {
            return Ok(());
        }
        let message = format!("it holds {found} entries, its trailer counts {}", self.entries);
        Err(self.impossible(kind, message))
    }

    /// Reads the body as YAML of a given shape. A body without members is the empty mapping.
    pub fn parse<T: serde::de::DeserializeOwned>(&self, kind: Kind) -> Result<T, StoreError> {
        parse(self.body).map_err(|(at, message)| {
            let at = (kind.header().len() + at).min(self.file.len());
            damaged(kind, self.path, Some((self.file, at)), message)
        })
    }

    /// The error for a body that can be read but says something impossible.
    pub fn impossible(&self, kind: Kind, message: String) -> StoreError {
        damaged(kind, self.path, None, message)
    }
}

/// What is wrong with a text, without the place: that is one in the piece that was read, not in the file.
fn message(error: &serde_yaml::Error) -> String {
    let mut message = error.to_string();
    if let (Some(_), Some(end)) = (error.location(), message.rfind(" at line ")) {
        message.truncate(end);
    }
    message
}

/// The error for a damaged file; `place` is its text and an offset in it.
pub(super) fn damaged(kind: Kind, path: &Path, place: Option<(&str, usize)>, message: String) -> StoreError {
    let name = path.display().to_string();
    // What could make a terminal do something is not shown.
    let place = place.filter(|(file, _)| file.chars().all(|c| c == '\n' || is_visible(c)));
    let source_code = place.map(|(file, _)| NamedSource::new(&name, file.to_owned()));
    let help = match kind {
        Kind::Repository => {
            "`toy check --repair` keeps what is intact; the next compile makes the rest again"
        }
        Kind::Ticket => "compile the source again",
        Kind::Executable => "link the program again",
    };
    let place = place.map(|(_, at)| at.into());
    StoreError::Damaged(Box::new(DamagedFile { name, message, source_code, place, help }))
}
