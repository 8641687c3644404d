//! The laws of digests and of the tools, held against programs and repositories made at random, over every backend.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod compiling;
mod digests;
mod gc;
mod linking;
mod merging;
mod optimizing;
mod wire;

#[path = "../common/kit.rs"]
mod kit;
#[path = "../common/parts.rs"]
mod parts;
#[path = "../common/program.rs"]
mod program;
