//! Format: a source in the one form in which all sources are read most easily; it means the same.
//!
//! - Four blanks of indentation a level; one blank between words, none inside the brackets of `[1 2]`.
//! - The author's lines stay lines, and one empty line stays one. A body or block that is on one line stays there
//!   while it fits; one on several lines has its braces at the ends of lines and its lines between them.
//! - A line of more than [`WIDTH`] columns is broken: at the blocks of its last phrase, such as `{ … } { … } ifelse`,
//!   if what is before them fits, else wherever it is full.
//! - Comments stay in their lines. Those behind code in lines that follow each other stand below each other.
//! - A definition begins a line. Lines end with a line feed, the last one too; a byte order mark goes.
//!
//! Deliberately absent: options, and the tree: names, numbers, strings and comments are kept byte for byte.

use crate::syntax::{SyntaxError, parse};

mod layout;
mod parts;
mod print;

/// So many columns a line of code has at most, if it can be broken. Comments are not counted.
pub const WIDTH: usize = 100;

/// Formats a text. Formatted again, it stays the same. A text with mistakes is not formatted: the error lists them.
pub fn format(text: &str) -> Result<String, Vec<SyntaxError>> {
    let errors = parse(text).errors;
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut parts = parts::parts(text);
    let lines = layout::lines(&mut parts);
    Ok(print::print(&parts, &lines))
}

/// The column at which lines so deep inside of blocks begin. Very deep ones no longer move to the right.
fn indent(depth: usize) -> usize {
    4 * depth.min(15)
}
