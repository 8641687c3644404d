//! Drives `toy_fuzz::program`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::program(bytes));
