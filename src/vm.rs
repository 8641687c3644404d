//! The machine that executes a linked program.
//!
//! [`program::Program::load`] decodes and checks everything once; [`machine::Machine`] then executes it, at full speed
//! (`machine/run`) or one instruction at a time, with the same result and the same state at every instruction. Frames
//! are explicit, so that nothing a program does reaches the host's stack.
//! Deliberately absent: source positions and the repository that has them, and any output but to the writers
//! that the caller passes.

#![cfg_attr(
    not(all(feature = "native", target_arch = "x86_64")),
    allow(dead_code, reason = "native code alone asks for some of it")
)]

mod code;
pub mod dictionary;
mod fault;
pub mod frame;
mod fuse;
pub mod heap;
pub mod machine;
pub mod names;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod native;
#[cfg(not(all(feature = "native", target_arch = "x86_64")))]
#[path = "vm/interpreted.rs"]
mod native;
mod operators;
pub mod program;
mod scope;
mod stack;
mod trace;
pub mod trap;
pub mod value;
