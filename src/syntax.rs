//! The language's text: tokens, trees, and what can be wrong with them.
//!
//! [`parse`] always gives a tree and the list of *all* mistakes, one error for each; the tree of a text with mistakes
//! is what could be saved of it. What the rules leave open is decided here:
//!
//! - Blanks are space, tab, form feed, CR and LF. A comment and a string end at a CR as well as at an LF.
//! - A token is the longest text that can be one. A name or number ends at a blank, brace, bracket, quote or comment;
//!   a number also ends at a letter: `1print` is `1` `print`, `1e` is `1` `e`, `1e3x` is `1e3` `x`, `1.print` is `1.`
//!   `print`. Anything else that touches it is a mistake, not a new token: `1.2.3`, `1..5`, `1-2`, `x-1`, `a.b`, `--1`,
//!   `-`, `-x`, `.`, `1e+`, `1_000` are one error each.
//! - A number too small for a double is zero of its sign: `-1e-999` is `-0.0`. One too large is an error.
//! - A byte order mark is skipped at the start of a text and an error elsewhere.
//! - When a `}` is missing, a `name {` at the start of a line is taken for the next definition; in a text whose braces
//!   match, a line inside a body may well start so.
//!
//! Deliberately absent: what names mean, instructions, digests, files.

pub mod ast;
mod braces;
pub mod error;
mod lexer;
mod mistake;
mod parser;
pub mod pieces;
mod token;

pub use error::SyntaxError;
pub use parser::{Parsed, parse};
