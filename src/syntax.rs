//! The language's text: tokens, trees, and what can be wrong with them.
//!
//! Deliberately absent: what names mean, instructions, digests, files.

pub mod ast;
