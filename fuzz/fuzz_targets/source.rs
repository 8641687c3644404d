//! Drives `toy_fuzz::source`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::source(bytes));
