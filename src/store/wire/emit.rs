//! The canonical spelling of our YAML: written by hand, so that the bytes are ours and no library's.
//!
//! Deliberately absent: reading, which takes any spelling, and quotes where none are needed.

use std::fmt::{Display, Write as _};

/// YAML text in the making.
#[derive(Debug, Default)]
pub(super) struct Emitter {
    text: String,
}

impl Emitter {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes) }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A key whose value stands on the next lines, such as a section.
    pub(super) fn section(&mut self, indent: usize, key: impl Display) {
        // Writing to a string cannot fail.
        _ = write!(self.text, "{:indent$}", "");
        self.unquoted(key);
        self.text.push_str(":\n");
    }

    /// A member of a sequence.
    pub(super) fn item(&mut self, indent: usize, value: impl Display) {
        _ = write!(self.text, "{:indent$}- ", "");
        self.unquoted(value);
        self.text.push('\n');
    }

    /// A member of a sequence that may need quotes.
    pub(super) fn word_item(&mut self, indent: usize, value: &str) {
        _ = write!(self.text, "{:indent$}- ", "");
        self.word(value);
    }

    /// A key with a digest or a word.
    pub(super) fn plain(&mut self, indent: usize, key: &str, value: impl Display) {
        _ = write!(self.text, "{:indent$}{key}: ", "");
        self.unquoted(value);
        self.text.push('\n');
    }

    /// The same as the first member of a mapping in a sequence.
    pub(super) fn first(&mut self, indent: usize, key: &str, value: impl Display) {
        _ = write!(self.text, "{:indent$}- ", "");
        self.plain(0, key, value);
    }

    /// A digest or a word, without quotes but for the rare digest that could be taken for a number.
    fn unquoted(&mut self, value: impl Display) {
        let start = self.text.len();
        _ = write!(self.text, "{value}");
        if is_numeric(&self.text[start..]) {
            self.text.insert(start, '\'');
            self.text.push('\'');
        }
    }

    /// A key with a text on one line.
    pub(super) fn line(&mut self, indent: usize, key: &str, value: &str) {
        _ = write!(self.text, "{:indent$}{key}: ", "");
        self.word(value);
    }

    fn word(&mut self, value: &str) {
        if is_word(value) {
            self.text.push_str(value)
        } else {
            self.quoted(value)
        }
        self.text.push('\n');
    }

    /// A key with lines of text, as they are and indented.
    pub(super) fn block(&mut self, indent: usize, key: &str, lines: &str) {
        _ = write!(self.text, "{:indent$}{key}: ", "");
        if is_block(lines) {
            self.text.push_str("|\n");
            for line in lines.split_inclusive('\n') {
                const BLANKS: &str = "                ";
                self.text.push_str(BLANKS.get(..indent + 2).unwrap_or(BLANKS));
                self.text.push_str(line);
            }
        } else {
            self.quoted(lines);
            self.text.push('\n');
        }
    }

    fn quoted(&mut self, value: &str) {
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                ' '..='~' => self.text.push(c),
                _ => _ = write!(self.text, "\\U{:08x}", u32::from(c)),
            }
        }
        self.text.push('"');
    }
}

/// Whether a digest is a number to some reader of YAML: digits, with one `e` or `b` at the most.
fn is_numeric(text: &str) -> bool {
    let mut letters = text.bytes().filter(|byte| !byte.is_ascii_digit());
    matches!((letters.next(), letters.next()), (None | Some(b'e' | b'b'), None))
}

/// The words to which some version of YAML gives a meaning of its own.
const TAKEN: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Whether a text is read as itself without quotes, by every version of YAML.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.' | b'/'))
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a text survives as the lines of a block scalar.
fn is_block(text: &str) -> bool {
    let is_shown = |c: char| {
        !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let ascii = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    let shown = text.bytes().all(ascii) || text.chars().all(|c| c == '\n' || is_shown(c));
    shown && text.ends_with('\n') && !text.ends_with("\n\n") && !text.starts_with([' ', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_digest_is_a_number() {
        let digests = ["0123", "77", "1e5", "12e9999", "e12", "0b1010", "ab", "e1e"];
        let mut emitter = Emitter::default();
        for digest in digests {
            emitter.section(0, format_args!("{digest}"));
            emitter.plain(2, "checksum", digest);
            emitter.section(2, "list");
            emitter.item(2, digest);
        }
        let text = emitter.into_text();
        assert_eq!(text.matches('\'').count(), 2 * 3 * 6, "{text}");
        let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        for digest in digests {
            assert_eq!(value[digest]["checksum"].as_str(), Some(digest));
            assert_eq!(value[digest]["list"][0].as_str(), Some(digest));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(line in any::<String>(), lines in "(?s:.)*|[ a-c\n\"#:]*") {
            let mut emitter = Emitter::default();
            emitter.line(0, "line", &line);
            emitter.section(0, "section");
            emitter.block(2, "block", &lines);
            let value: serde_yaml::Value = serde_yaml::from_str(&emitter.into_text()).unwrap();
            prop_assert_eq!(value["line"].as_str(), Some(line.as_str()));
            prop_assert_eq!(value["section"]["block"].as_str(), Some(lines.as_str()));
        }
    }
}
