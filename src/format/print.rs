//! Lines into text, with comments behind code below each other.
//!
//! Deliberately absent: decisions about lines.

use super::layout::Line;
use super::parts::Part;
use super::{WIDTH, indent};
use crate::syntax::pieces::PieceKind;

/// So many blanks are between code and a comment behind it, at least.
const GAP: usize = 2;

/// The text of the lines.
pub(super) fn print(parts: &[Part<'_>], lines: &[Line]) -> String {
    let mut text = String::new();
    for run in lines.chunk_by(|line, next| are_aligned(parts, line, next)) {
        // A line that is too long moves only its own comment.
        let widths = run.iter().map(|line| code_width(parts, line)).filter(|width| *width <= WIDTH);
        let width = widths.max().unwrap_or_default();
        for line in run {
            print_line(parts, line, width, &mut text);
        }
    }
    text
}

/// Whether the comments of a line and the next one stand below each other.
fn are_aligned(parts: &[Part<'_>], line: &Line, next: &Line) -> bool {
    let both = has_comment(parts, line) && has_comment(parts, next);
    both && line.depth == next.depth && !next.follows_empty
}

/// Whether a comment is behind code.
fn has_comment(parts: &[Part<'_>], line: &Line) -> bool {
    line.parts.len() > 1 && parts[line.parts.end - 1].kind == PieceKind::Comment
}

/// How many columns a line takes up to the end of its code, its indentation included.
fn code_width(parts: &[Part<'_>], line: &Line) -> usize {
    let last = &parts[line.parts.end - 1 - usize::from(has_comment(parts, line))];
    indent(line.depth) + last.column + last.width - parts[line.parts.start].column
}

/// Prints a line; a comment behind its code stands as if the code were `width` columns wide, if it is less.
fn print_line(parts: &[Part<'_>], line: &Line, width: usize, text: &mut String) {
    if line.follows_empty {
        text.push('\n');
    }
    blanks(indent(line.depth), text);
    let mut end = None;
    for part in &parts[line.parts.clone()] {
        match end {
            Some(_) if part.kind == PieceKind::Comment => {
                blanks(GAP + width.saturating_sub(code_width(parts, line)), text);
            }
            Some(end) => blanks(part.column - end, text),
            None => {}
        }
        text.push_str(part.text);
        end = Some(part.column + part.width);
    }
    text.push('\n');
}

fn blanks(count: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', count));
}
