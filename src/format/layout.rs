//! Parts into lines. Whether and where a line is broken depends on nothing but the line itself and its depth: so
//! lines that were broken are laid out the same again.
//!
//! Deliberately absent: recursion, and text.

use std::ops::Range;

use super::parts::{Break, Part};
use super::{WIDTH, indent};
use crate::syntax::pieces::PieceKind;

/// A line of the result.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// In how many blocks it is.
    pub(super) depth: usize,
    /// What stands in it; never empty. A comment is the last.
    pub(super) parts: Range<usize>,
    /// Whether an empty line is before it.
    pub(super) follows_empty: bool,
}

/// Divides parts into lines, and breaks blocks that are too wide.
pub(super) fn lines(parts: &mut [Part<'_>]) -> Vec<Line> {
    let mut layout = Layout { parts, ends: vec![0] };
    let mut lines = Vec::new();
    let mut start = 0;
    while start < layout.parts.len() {
        let line = layout.line(start);
        start = line.parts.end;
        lines.push(line);
    }
    lines
}

struct Layout<'p, 's> {
    parts: &'p mut [Part<'s>],
    /// For each broken block around the next line, and for the text itself: where the author's line ends that is
    /// being laid out there, or the part of it before a broken block.
    ends: Vec<usize>,
}

impl Layout<'_, '_> {
    /// The line that begins with the part at `start`.
    fn line(&mut self, start: usize) -> Line {
        let first = self.parts[start];
        if first.kind == PieceKind::Close {
            self.ends.pop();
        }
        let depth = self.ends.len() - 1;
        let mut end = if first.kind == PieceKind::Comment { start + 1 } else { self.end(start) };
        if self.parts[end - 1].kind == PieceKind::Open {
            self.ends.push(0);
        }
        let has_comment =
            |part: &Part<'_>| part.kind == PieceKind::Comment && part.break_before == Break::None;
        if first.kind != PieceKind::Comment && self.parts.get(end).is_some_and(has_comment) {
            end += 1;
        }
        let is_first = start == 0 || self.parts[start - 1].kind == PieceKind::Open;
        let follows_empty = first.break_before == Break::Empty && first.kind != PieceKind::Close && !is_first;
        Line { depth, parts: start..end, follows_empty }
    }

    /// Where the code ends of the line that begins at `start`.
    fn end(&mut self, start: usize) -> usize {
        let depth = self.ends.len() - 1;
        if self.ends[depth] <= start {
            self.ends[depth] = self.authors_end(start);
        }
        let end = self.ends[depth];
        if self.fits(start, end) {
            return end;
        }
        match self.phrase(start, end) {
            // The brace of a definition stays beside its name.
            Some(block) if depth == 0 || self.fits(start, block + 1) => {
                self.break_blocks(block, end);
                self.ends[depth] = block + 1;
                block + 1
            }
            _ if depth == 0 => end,
            _ => self.fill(start, end),
        }
    }

    /// Where the author's line ends, or the part of it that begins at `start` and ends with a broken block's brace.
    fn authors_end(&self, start: usize) -> usize {
        let mut at = self.after(start);
        while let Some(part) = self.parts.get(at)
            && !self.parts[at - 1].is_broken
            && part.break_before == Break::None
            && !matches!(part.kind, PieceKind::Comment | PieceKind::Close)
        {
            at = self.after(at);
        }
        at
    }

    /// Where the part or whole block at `at` ends; only the brace of a block that is broken.
    fn after(&self, at: usize) -> usize {
        let part = &self.parts[at];
        if part.kind == PieceKind::Open && !part.is_broken { part.partner + 1 } else { at + 1 }
    }

    /// The first block that is not empty of the blocks at the end of a line; one word, or the brace of a broken
    /// block, may be behind them.
    fn phrase(&self, start: usize, end: usize) -> Option<usize> {
        let mut at = end - usize::from(self.parts[end - 1].kind != PieceKind::Close);
        let mut first = None;
        while at > start + 1 && self.parts[at - 1].kind == PieceKind::Close {
            at = self.parts[at - 1].partner;
            first = self.can_break(at).then_some(at).or(first);
        }
        first
    }

    /// Whether the part at `at` opens a block that has something in it and is not broken.
    fn can_break(&self, at: usize) -> bool {
        let part = &self.parts[at];
        part.kind == PieceKind::Open && !part.is_broken && part.partner > at + 1
    }

    /// Breaks the blocks from `start` up to `end`, but not those inside of them.
    fn break_blocks(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let next = self.after(at);
            self.parts[at].is_broken |= self.can_break(at);
            at = next;
        }
    }

    /// Where the line is full that begins at `start`. A block that is too wide for any line is broken.
    fn fill(&mut self, start: usize, end: usize) -> usize {
        let mut at = start;
        while at < end {
            let next = self.after(at);
            if !self.fits(start, next) {
                let breaks = self.can_break(at) && !self.fits(at, next) && self.fits(start, at + 1);
                self.parts[at].is_broken |= breaks;
                return if breaks || at == start { self.after(at) } else { at };
            }
            at = next;
        }
        end
    }

    /// Whether the parts from `start` up to `end` have room in one line.
    fn fits(&self, start: usize, end: usize) -> bool {
        let last = &self.parts[end - 1];
        indent(self.ends.len() - 1) + last.column + last.width - self.parts[start].column <= WIDTH
    }
}
