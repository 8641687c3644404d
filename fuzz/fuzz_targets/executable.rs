//! Drives `toy_fuzz::executable`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::executable(bytes));
