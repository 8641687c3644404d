//! Source texts and places in them.
//!
//! Deliberately absent: paths. Only the last part of a path is ever recorded, so that no file tells where it was made.

use std::sync::Arc;

/// Whether a character can stand in the name of a file that is told to people: it ends no line and hides nothing.
pub fn is_visible(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// One source text with the name by which diagnostics and compilations call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The file's name without directories, such as `main.toy`.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

/// A range of bytes in a source text: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The range in bytes from `start` up to but without `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }
}

/// A place in a source text as people count: both numbers start at 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The lines, from 1, that hold the bytes at `offsets`, which must be in ascending order.
///
/// For lines alone this is quicker than a [`LineIndex`]: many bytes are counted at once.
pub fn lines(text: &str, offsets: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    let (mut from, mut line) = (0, 1);
    offsets.map(move |offset| {
        let between = text.as_bytes().get(from as usize..offset as usize).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count() as u32;
        from = offset;
        line
    })
}

/// The starts of a text's lines, to turn offsets into positions.
#[derive(Debug, Clone)]
pub struct LineIndex<'s> {
    text: &'s str,
    starts: Vec<u32>,
}

impl<'s> LineIndex<'s> {
    /// Finds the lines of `text`. A line ends after its line feed.
    pub fn new(text: &'s str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        Self { text, starts }
    }

    /// The line, from 1, that holds the byte at `offset`.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// The position of the character at `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1] as usize;
        let before = self.text.get(start..offset as usize).unwrap_or_default();
        Position { line, column: before.chars().count() as u32 + 1 }
    }

    /// The positions of the characters at `offsets`, which are best in ascending order: then no character of a line
    /// is counted twice, however long the line is.
    pub fn positions(&self, offsets: impl Iterator<Item = u32>) -> impl Iterator<Item = Position> {
        let mut last = (0, Position { line: 1, column: 1 });
        offsets.map(move |offset| {
            let (from, Position { line, column }) = last;
            let position = if offset >= from && self.line(offset) == line {
                let between = self.text.get(from as usize..offset as usize).unwrap_or_default();
                Position { line, column: column + between.chars().count() as u32 }
            } else {
                self.position(offset)
            };
            last = (offset, position);
            position
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_one_after_the_other_are_those_of_each() {
        let text = "é x\n\ny zz\u{feff}é\n";
        let index = LineIndex::new(text);
        let offsets = || text.char_indices().map(|(at, _)| at as u32).chain([0, 6, 3, 4]);
        let each = offsets().map(|offset| index.position(offset)).collect::<Vec<_>>();
        assert_eq!(index.positions(offsets()).collect::<Vec<_>>(), each);
    }

    #[test]
    fn lines_one_after_the_other_are_those_of_the_index() {
        let text = "\né x\n\n\ny zz\n";
        let offsets = || (0..=text.len() as u32).flat_map(|at| [at, at]);
        let index = LineIndex::new(text);
        let each = offsets().map(|offset| index.line(offset)).collect::<Vec<_>>();
        assert_eq!(lines(text, offsets()).collect::<Vec<_>>(), each);
    }

    #[test]
    fn positions_count_characters_from_one() {
        let index = LineIndex::new("é x\n\ny");
        assert_eq!(index.position(0), Position { line: 1, column: 1 });
        assert_eq!(index.position(3), Position { line: 1, column: 3 });
        assert_eq!(index.position(5), Position { line: 2, column: 1 });
        assert_eq!(index.position(6), Position { line: 3, column: 1 });
        assert_eq!(index.line(7), 3);
    }
}
