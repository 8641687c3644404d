//! Damaged and hostile files: every reader says what is wrong, none panics, none gives a wrong result; what is left
//! after a repair makes, with the sources, the same executable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod binary;
mod database;
mod every_byte;
mod fixtures;
mod hostile;
mod hostile_database;
mod journals;
mod sample;
#[cfg(unix)]
mod strange;

#[path = "../common/kit.rs"]
mod kit;
