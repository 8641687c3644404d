//! `toy`: a program repository for the Toy language.
//!
//! The modules in reading order, floor by floor; a module imports only what stands above it.
//! `docs/architecture.md` has the table of who may know whom, and a test holds the code to it.

// Floor 0, base: what everything is made of.
pub mod digest;
pub mod name;
pub mod source;

// Floor 1, language: text and instructions.
pub mod isa;
pub mod syntax;

// Floor 2, object: what compiling and linking make.
pub mod object;

// Floor 3, store: where objects are kept.
pub mod store;

// Floor 4, verbs: each turns what stands below it into a value.
pub mod check;
pub mod compile;
pub mod convert;
pub mod format;
pub mod gc;
pub mod link;
pub mod lint;
pub mod merge;
pub mod profile;
pub mod strip;
pub mod vm;

// Floor 5, edge: arguments, streams, exit status.
pub mod cli;
