//! What the compiler makes and the linker reads: plain data without input or output.
//!
//! Deliberately absent: how any of it is written in a file (`store`), and what instructions mean (`isa`).

pub mod compilation;
pub mod executable;
pub mod fixup;
pub mod fragment;
pub mod line_table;
pub mod link_record;
pub mod outline;
