//! The instruction set: what a text section is made of, as bytes and as lines that a person can read.
//!
//! A text section is a flat sequence of instructions; an *ordinal* counts them from 0.
//! Names and strings are not in the text: an instruction holds the index of an entry in a table beside it
//! (a fragment's fixups, an executable's strings).
//! Deliberately absent: what the operators do (that is the machine's), and where sections come from.

pub mod arithmetic;
pub mod builtin;
pub mod codec;
pub mod effect;
pub mod instruction;
pub mod listing;
mod operator_code;
