//! What can still be read of a damaged `repo.yaml`, entry by entry, and where the damage is.

use std::path::Path;

use super::backend::Damage;
use super::contents::Contents;
use super::error::StoreError;
use super::seal::{self, Kind};
use super::wire::repository::{from_yaml, piece};

/// The sections of `repo.yaml`.
const SECTIONS: [&str; 4] = ["known:", "fragments:", "compilations:", "links:"];

/// Reads what is intact. A file in which nothing says that it is a repository is an error.
pub fn salvage(path: &Path, bytes: &[u8]) -> Result<(Contents, Vec<Damage>), StoreError> {
    let error = match from_yaml(path, bytes) {
        Ok(contents) => return Ok((contents, Vec::new())),
        Err(error @ (StoreError::Damaged(_) | StoreError::Kind { .. })) => error,
        Err(error) => return Err(error),
    };
    let (contents, mut damage) = match seal::identify(bytes) {
        Some(Kind::Ticket | Kind::Executable) => return Err(error),
        Some(Kind::Repository) | None => entries(bytes),
    };
    // A damaged first line does not give up the entries below it.
    let ours = seal::identify(bytes).is_some() || bytes.is_empty() || contents.entries() > 0;
    if !ours {
        return Err(error);
    }
    // Where the header is damaged, its lines have been told already.
    if damage.is_empty() || matches!(error, StoreError::Damaged(_)) {
        damage.push(Damage { line: None, message: error.to_string() });
    }
    Ok((contents, damage))
}

/// A character that does nothing to a terminal.
fn visible(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}

/// Splits the text where a line starts a section or an entry, and reads each entry by itself.
fn entries(bytes: &[u8]) -> (Contents, Vec<Damage>) {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut reader = Reader::default();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        reader.line(at + 1, line);
    }
    reader.finish_entry();
    (reader.contents, reader.damage)
}

#[derive(Default)]
struct Reader<'t> {
    contents: Contents,
    damage: Vec<Damage>,
    section: Option<&'t str>,
    entry: String,
    entry_line: usize,
}

impl<'t> Reader<'t> {
    fn line(&mut self, at: usize, line: &'t str) {
        let word = line.trim_end();
        let starts_entry = word.starts_with("- ") || (word.starts_with("  ") && !word.starts_with("   "));
        if SECTIONS.contains(&word) {
            self.finish_entry();
            self.section = Some(word);
        } else if starts_entry && self.section.is_some() {
            self.finish_entry();
            self.entry_line = at;
            self.entry.push_str(line);
        } else if word.starts_with("   ") && !self.entry.is_empty() || word.is_empty() {
            self.entry.push_str(line);
        } else {
            self.outside(at, word);
        }
    }

    /// A line that belongs to no entry: header, trailer, or damage.
    fn outside(&mut self, at: usize, word: &'t str) {
        self.finish_entry();
        self.section = None;
        let trailer =
            word.starts_with("trailer:") || word.starts_with("  entries: ") || word.starts_with("  digest: ");
        let header = word == "toy: repository" || word.starts_with("version: ");
        if !header && !trailer {
            let start = word.chars().take(60).map(visible).collect::<String>();
            self.damage.push(Damage { line: Some(at), message: format!("`{}` belongs to nothing", start) });
        }
    }

    fn finish_entry(&mut self) {
        let (Some(section), false) = (self.section, self.entry.is_empty()) else { return };
        match piece(&format!("{section}\n{}", self.entry)) {
            Ok(read) => {
                for twice in self.contents.absorb(read) {
                    self.damage.push(Damage {
                        line: Some(self.entry_line),
                        message: format!("`{twice}` stands twice"),
                    });
                }
            }
            Err(message) => self.damage.push(Damage { line: Some(self.entry_line), message }),
        }
        self.entry.clear();
    }
}
